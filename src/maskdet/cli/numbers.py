"""Numbers on the command line: those of click, which takes any, without the absurd ones."""

import math
from typing import Any

import click

from maskdet.limits import RUNNING, Range

# What libraries of C can count to.
_LARGEST = 2**31 - 1


class Whole(click.IntRange):
    """A whole number within limits, and never larger than can be counted to."""

    name = "integer"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Reads a number."""
        number: int = super().convert(value, param, ctx)
        if abs(number) > _LARGEST:
            self.fail(f"{value} is more than {_LARGEST}.", param, ctx)
        return number


class Real(click.FloatRange):
    """A number within limits: neither infinite nor none at all (``nan``)."""

    name = "number"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Reads a number."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


def within(limits: Range) -> Whole | Real:
    """Returns the type of an option whose number has such limits."""
    bounds = {"min_open": limits.low_open, "max_open": limits.high_open}
    if limits.whole:
        return Whole(round(limits.low), None if limits.high is None else round(limits.high))
    return Real(limits.low, limits.high, **bounds)


def number(name: str) -> Whole | Real:
    """Returns the type of an option of `maskdet.limits.RUNNING`, by its name there."""
    return within(RUNNING[name])
