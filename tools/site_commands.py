"""Options of the commands as Markdown, from click itself, so that pages cannot drift from it."""

import html
import re
from collections.abc import Iterator

import click

from maskdet.cli import cli
from maskdet.cli.sections import SectionedCommand

# What help texts say at their end: defaults and ranges, which read better on a line of their own.
_BRACKETS = re.compile(r"\s*\[([^\[\]]*(?:default|required|<|>)[^\[\]]*)\]\s*$")
_OPTION = re.compile(r"(?<![\w`-])(--?[a-z][a-z-]*)")
_PLAIN = "Options"


def all_commands() -> Iterator[tuple[str, click.Command]]:
    """Yields every command by its words, such as ``dataset import``, groups left out."""
    yield from _below("", cli, click.Context(cli, info_name="maskdet"))


def _below(
    words: str, group: click.Group, context: click.Context
) -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _below(f"{words}{name} ", command, click.Context(command, parent=context))
        elif command is not None:
            yield f"{words}{name}", command


def find_command(words: str) -> click.Command:
    """Returns a command by its words.

    Raises:
        KeyError: there is none.
    """
    return dict(all_commands())[words]


def top_commands() -> list[str]:
    """Returns the names after ``maskdet``, in the order of its help."""
    return cli.list_commands(click.Context(cli))


def options_page(words: str, level: int = 3) -> str:
    """Returns usage and options of a command as Markdown: a definition list under each heading.

    Args:
        words: the command's, such as ``detect`` or ``dataset import``.
        level: of the headings.
    """
    command = find_command(words)
    context = click.Context(command, info_name=f"maskdet {words}")
    lines = ["```text", command.get_usage(context).removeprefix("Usage: "), "```", ""]
    sections: dict[str, list[str]] = {}
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        # Arguments stand in the usage; --help is everywhere.
        if record is None or isinstance(parameter, click.Argument) or "--help" in parameter.opts:
            continue
        heading = _PLAIN
        if isinstance(command, SectionedCommand):
            heading = command.headings.get(str(parameter.name), "Other options")
        sections.setdefault(heading, []).append(_entry(words, parameter, *record))
    for heading, entries in sections.items():
        if len(sections) > 1:
            anchor = f"{words} {heading}".lower().replace(" ", "-")
            lines += [f"{'#' * level} {heading} {{ #{anchor} }}", ""]
        lines += entries
    return "\n".join(lines)


def _entry(words: str, parameter: click.Parameter, names: str, text: str) -> str:
    """Returns an option and what it does."""
    limits = ""
    while found := _BRACKETS.search(text):
        text = text[: found.start()]
        limits = f"{found[1]}; {limits}" if limits else found[1]
    anchor = f"{words} {parameter.name}".replace(" ", "-").replace("_", "-")
    says = _OPTION.sub(r"`\1`", html.escape(text.strip(), quote=False)).replace("*", "\\*")
    says = says.replace("|", "&#124;")
    limits = _readable(limits)
    small = f' <small class="limits">{html.escape(limits)}</small>' if limits else ""
    return f"`{names}`{{ #{anchor} }}\n:   {says or '&nbsp;'}{small}\n"


def _readable(limits: str) -> str:
    """Returns a default and a range as words: ``0<x<=1`` is above 0 up to 1."""

    def both(found: re.Match[str]) -> str:
        low, may_be_low, may_be_high, high = found.groups()
        if may_be_low and may_be_high:
            return f"{low} to {high}"
        first = f"from {low}" if may_be_low else f"above {low}"
        return f"{first} {'up to' if may_be_high else 'to below'} {high}"

    text = re.sub(r"(-?[\d.]+)<(=?)x<(=?)(-?[\d.]+)", both, limits)
    text = re.sub(r"x>=(-?[\d.]+)", r"at least \1", text)
    return re.sub(r"x>(-?[\d.]+)", r"above \1", text)
