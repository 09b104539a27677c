"""The layout of a command's help page: options under headings, the usual ones first."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click
import cloup

# For the end of a long page.
RARE = "Rarely needed"


def sections(
    layout: Mapping[str, Sequence[str]],
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Puts a command's options under headings; stands right below `cloup.command`.

    Args:
        layout: heading to the names of the command's parameters, each in the order of the page.
            Options that are not named come last, under cloup's "Other options".
    """
    groups = {heading: cloup.OptionGroup(heading) for heading in layout}
    places = {
        name: (groups[heading], number)
        for number, (heading, name) in enumerate(
            (heading, name) for heading, names in layout.items() for name in names
        )
    }

    def arrange(function: Callable[..., Any]) -> Callable[..., Any]:
        # Where click collects what the decorators below gave, the last one first.
        given: list[click.Parameter] = function.__click_params__  # type: ignore[attr-defined]
        unknown = places.keys() - {str(parameter.name) for parameter in given}
        if unknown:
            raise ValueError(f"no options of the command: {', '.join(sorted(unknown))}")
        for parameter in given:
            if parameter.name in places and isinstance(parameter, click.Option):
                parameter.group = places[parameter.name][0]  # type: ignore[attr-defined]
        given.sort(
            key=lambda parameter: places.get(str(parameter.name), (None, len(places)))[1],
            reverse=True,
        )
        return function

    return arrange
