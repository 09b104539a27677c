"""Help pages: every option stands under a heading, and pages are plain when piped."""

import click
import pytest

from command_line import Cli
from maskdet.cli import cli
from maskdet.cli.sections import SectionedCommand, sections

LONG_PAGES = ("detect", "heatmap", "evaluate", "train", "train-faces")
# What every command has; the last section takes them.
OTHERS = {"help", "quiet", "verbose"}


@pytest.mark.parametrize("name", LONG_PAGES)
def test_every_option_has_its_place(name: str) -> None:
    """An option that is added without a heading would be found at the end of the page."""
    command = cli.get_command(click.Context(cli), name)
    assert isinstance(command, SectionedCommand)
    left = {
        parameter.name
        for parameter in command.params
        if isinstance(parameter, click.Option) and parameter.name not in command.headings
    }
    assert left <= OTHERS


def test_usual_options_come_first(maskdet: Cli) -> None:
    """Sources, then results, then what is rarely needed; nothing but text in a pipe."""
    page = maskdet("detect", "--help").stdout
    headings = [page.index(f"\n{heading}:") for heading in ("Sources", "Results", "Rarely needed")]
    assert headings == sorted(headings)
    assert page.index("--output") < page.index("Rarely needed") < page.index("--crop-margin")
    assert "\x1b" not in page
    assert max(len(line) for line in page.splitlines()) <= 80


def test_a_name_that_is_no_option_is_a_mistake() -> None:
    """A layout that names what the command lacks cannot be built."""

    @click.option("--here")
    def function() -> None:
        """Does nothing."""

    with pytest.raises(ValueError, match="no options of the command: gone"):
        sections({"Heading": ("here", "gone")})(function)
