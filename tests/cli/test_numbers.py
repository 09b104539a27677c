"""Absurd numbers for every option that takes one."""

from collections.abc import Iterator
from pathlib import Path

import click
import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from command_line import Cli, assert_user_error
from maskdet.cli import cli
from maskdet.cli.numbers import Real, Whole
from maskdet.errors import SourceError
from maskdet.limits import RUNNING, TRAINING
from maskdet.media.sources import open_source


def commands() -> Iterator[tuple[str, click.Command]]:
    """Yields every command there is, with its words."""
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            for part, below in command.commands.items():
                yield f"{name} {part}", below
        else:
            yield name, command


NUMBERS = [
    pytest.param(words, option, id=f"{words} {option.opts[0]}")
    for words, command in commands()
    for option in command.params
    if isinstance(option.type, click.types.IntParamType | click.types.FloatParamType)
]


@pytest.mark.parametrize(("words", "option"), NUMBERS)
def test_absurd_numbers_are_refused(words: str, option: click.Option) -> None:
    """No number, however written, gets to where it could not be counted to."""
    assert isinstance(option.type, Real | Whole)
    absurd = [
        "nan",
        "inf",
        "-inf",
        "1e400",
        "99999999999999999999",
        "-99999999999999999999",
        "x",
        "",
    ]
    for text in absurd if isinstance(option.type, Whole) else absurd[:4] + absurd[6:]:
        done = CliRunner().invoke(cli, [*words.split(), f"{option.opts[0]}={text}"])
        assert done.exit_code == 2, (text, done.output)
        assert option.opts[0] in done.output


@pytest.mark.parametrize("source", ["99999999999999999999", "2147483648", "9" * 200, "٩" * 99])
def test_absurd_cameras(source: str) -> None:
    """A camera's number that no camera can have is one line."""
    with pytest.raises(SourceError, match="there is no camera of such a number"):
        open_source(source)


def test_frames_are_not_enlarged_beyond_memory(maskdet: Cli, tmp_path: Path) -> None:
    """A tall picture and a large --width are refused together."""
    cv2.imwrite(str(tmp_path / "tall.png"), np.zeros((4000, 16, 3), np.uint8))
    done = maskdet("detect", "tall.png", "--width", "16000", "--no-output")
    assert_user_error(done, "take a smaller --width")


@pytest.mark.parametrize(("words", "option"), NUMBERS)
def test_limits_are_those_of_the_python_api(words: str, option: click.Option) -> None:
    """A number that both take has the limits that `maskdet.limits` says for its name."""
    known = TRAINING if words == "train" else RUNNING
    if words.split()[0] in ("dataset", "train-faces") or option.name not in known:
        return
    limits, kind = known[option.name], option.type
    assert isinstance(kind, Whole if limits.whole else Real)
    assert (kind.min, kind.max) == (limits.low, limits.high)
    assert (kind.min_open, kind.max_open) == (limits.low_open, limits.high_open)
