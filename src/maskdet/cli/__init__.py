"""The command line: a click group whose commands are imported when they are called.

Each command has a module here that parses, builds one options object, makes one library call and
prints. Nothing heavy is imported at module level, so that `maskdet --help` answers at once.
"""

import importlib
import os
import sys

import click

from maskdet import __version__
from maskdet.errors import MaskdetError, OptionError

# Command name to the first line of its help, so that listing them imports none of them.
_COMMANDS = {
    "detect": "Find faces and tell who wears a mask.",
    "heatmap": "Show where in the face the answer came from.",
    "dataset": "Bring in, check, make and fetch pictures to train on.",
    "evaluate": "Measure a model on folders, photographs or video.",
    "train": "Train a mask classifier on your own pictures.",
    "train-faces": "Train the face detector on with your own boxed pictures.",
}

# Set before the libraries load; what the user has set stays.
_QUIET = {
    "OPENCV_LOG_LEVEL": "SILENT",
    "OPENCV_FFMPEG_LOGLEVEL": "-8",
    "QT_LOGGING_RULES": "*=false",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


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


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="maskdet")
def cli() -> None:
    r"""Who wears a face mask? Train, detect, explain.

    \b
      maskdet detect  --source photo.jpg
      maskdet heatmap --source 0 --record output.avi
      maskdet train   --dataset dataset
    """


def main() -> None:
    """Runs the command line; a `MaskdetError` becomes one line and exit code 1 or 2."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        cli.main(prog_name="maskdet")
    except MaskdetError as error:
        click.echo(f"maskdet: {error}", err=True)
        sys.exit(2 if isinstance(error, OptionError) else 1)
