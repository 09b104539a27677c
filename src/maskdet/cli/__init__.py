"""The command line: a click group whose commands are imported when they are called.

Each command has a module here that parses, builds one options object, makes one library call and
prints. Nothing heavy is imported at module level, so that `maskdet --help` answers at once.
"""

import errno
import importlib
import os
import sys

import click

from maskdet import __version__
from maskdet.addresses import redacted
from maskdet.cli import environment
from maskdet.errors import MaskdetError, OptionError
from maskdet.extras import opencv_trouble

# Command name to the first line of its help, so that listing them imports none of them.
_COMMANDS = {
    "detect": "Find faces and tell who wears a mask.",
    "heatmap": "Show where in the face the answer came from.",
    "archive": "Look through videos by the thousand, on one machine or on many.",
    "dataset": "Bring in, check, make and fetch pictures to train on.",
    "evaluate": "Measure a model on folders, photographs or video.",
    "train": "Train a mask classifier on your own pictures.",
    "train-faces": "Train the face detector on with your own boxed pictures.",
    "serve": "Watch cameras for months: a page, alerts, counts, recordings.",
    "info": "Tell what is installed and how fast it runs here.",
}

# A disk, a limit or a right that is missing: nothing that the program could have known.
_CIRCUMSTANCES = frozenset(
    getattr(errno, name)
    for name in (
        "EACCES", "EDQUOT", "EIO", "ELOOP", "EMFILE", "ENAMETOOLONG", "ENFILE", "ENOSPC", "EPERM",
        "EROFS", "ESTALE",
    )
    if hasattr(errno, name)
)  # fmt: skip


class _LazyGroup(click.Group):
    """A group that imports a command's module only to run it or to show its help."""

    def list_commands(self, _: click.Context) -> list[str]:
        """Returns the commands' names."""
        return list(_COMMANDS)

    def get_command(self, _: click.Context, cmd_name: str) -> click.Command | None:
        """Imports a command."""
        if cmd_name not in _COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        module = importlib.import_module(f"maskdet.cli.{name}")
        command: click.Command = getattr(module, name)
        return command

    def format_commands(self, _: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


_EXAMPLES = """Who wears a face mask? Train, detect, explain.

\b
  maskdet detect photo.jpg
  maskdet heatmap --source 0 --record output.avi
  maskdet train --dataset dataset
"""


@click.group(
    cls=_LazyGroup,
    invoke_without_command=True,
    help=_EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="maskdet")
@click.pass_context
def cli(context: click.Context) -> None:
    """The command line. No command is wrong usage, which click before 8.2 did not call it."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        context.exit(2)


def main() -> None:
    """Runs the command line; a `MaskdetError` becomes one line and exit code 1 or 2."""
    environment.prepare()
    try:
        cli.main(prog_name="maskdet")
    except MaskdetError as error:
        _fail(str(error), 2 if isinstance(error, OptionError) else 1)
    except ImportError as error:
        line = opencv_trouble(error)
        if line is None:
            raise
        _fail(line)
    except OSError as error:
        if error.errno not in _CIRCUMSTANCES:
            raise
        if error.filename is None:
            # What still waits to be written would fail once more at the end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        _fail(f"{error.filename or 'standard output'}: {error.strerror}")


def _fail(reason: str, code: int = 1) -> None:
    # Also a message that quotes a library must not say a password.
    click.echo(f"maskdet: {redacted(reason)}", err=True)
    sys.exit(code)
