"""The layout of a command's help page: options under headings, the usual ones first."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

# For the end of a long page.
RARE = "Rarely needed"
_OTHERS = "Other options"
# Options longer than this stand on a line of their own. Letters.
_WIDEST_OPTION = 30


class SectionedCommand(click.Command):
    """A command whose help page has its options under headings.

    Args:
        layout: heading to the names of the command's options, each in the order of the page.
            Options that are not named come last, under a heading of their own.
        **attributes: of any click command.

    Raises:
        ValueError: the layout names what is no option of the command.
    """

    def __init__(self, *, layout: Mapping[str, Sequence[str]], **attributes: Any) -> None:
        super().__init__(**attributes)
        self.headings = {name: heading for heading, names in layout.items() for name in names}
        unknown = self.headings.keys() - {parameter.name for parameter in self.params}
        if unknown:
            raise ValueError(f"no options of the command: {', '.join(sorted(unknown))}")
        order = {name: number for number, name in enumerate(self.headings)}
        self.params.sort(key=lambda parameter: order.get(str(parameter.name), len(order)))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the options, their explanations in one column down the whole page."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            row = parameter.get_help_record(ctx)
            if row is not None:
                heading = self.headings.get(str(parameter.name), _OTHERS)
                sections.setdefault(heading, []).append(row)
        lengths = [len(option) for rows in sections.values() for option, _ in rows]
        width = max((length for length in lengths if length <= _WIDEST_OPTION), default=0)
        for heading, rows in sections.items():
            with formatter.section(heading):
                formatter.write_dl(
                    [(option.ljust(width), text) for option, text in rows], col_max=width
                )


def sections(
    layout: Mapping[str, Sequence[str]],
) -> Callable[[Callable[..., Any]], SectionedCommand]:
    """Makes a command of a function, in place of `click.command`; see `SectionedCommand`."""
    return click.command(cls=SectionedCommand, layout=layout)
