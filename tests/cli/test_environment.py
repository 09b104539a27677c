"""Commands run from cron, containers, service managers and old consoles."""

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from command_line import assert_user_error
from maskdet import assets
from maskdet.cli import main

# What each standard stream is closed by, as a shell writes it.
_CLOSED = {0: "<&-", 1: ">&-", 2: "2>&-"}


def in_shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs ``maskdet COMMAND`` in a shell, which closes and redirects."""
    line = f"{sys.executable} -m maskdet {command}"
    return subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, check=False, cwd=folder, timeout=120
    )


@dataclass
class Ended:
    """How a command ended: its exit code, and what it wrote."""

    code: object
    output: str
    errors: str


Run = Callable[..., Ended]


@pytest.fixture
def in_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command line in this process, on a console of an encoding: for many short runs."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object, encoding: str = "utf-8") -> Ended:
        streams = [io.TextIOWrapper(io.BytesIO(), encoding) for _ in range(2)]
        monkeypatch.setattr(sys, "argv", ["maskdet", *map(str, words)])
        monkeypatch.setattr(sys, "stdout", streams[0])
        monkeypatch.setattr(sys, "stderr", streams[1])
        with pytest.raises(SystemExit) as ended:
            main()
        for stream in streams:
            stream.flush()
            stream.seek(0)
        return Ended(ended.value.code, streams[0].read(), streams[1].read())

    return run


@pytest.mark.parametrize("streams", [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)])
def test_closed_standard_streams(samples: Path, tmp_path: Path, streams: tuple[int, ...]) -> None:
    """No stream is needed; no file that is written takes the place of one."""
    closing = " ".join(_CLOSED[stream] for stream in streams)
    command = f"detect {samples}/astronaut.jpg --json all.jsonl --output out.jpg {closing}"
    done = in_shell(command, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(json.loads((tmp_path / "all.jsonl").read_text())["faces"]) == 1
    assert (tmp_path / "out.jpg").read_bytes().startswith(b"\xff\xd8")


def test_results_for_a_closed_or_full_output(samples: Path, tmp_path: Path) -> None:
    """Results that can go nowhere are refused, or their loss told, in one line."""
    picture = samples / "coffee.jpg"
    done = in_shell(f"detect {picture} --no-output --json >&-", tmp_path)
    assert done.returncode == 2
    assert "Standard output is closed: name a file" in done.stderr
    assert_user_error(
        in_shell(f"detect {picture} --no-output > /dev/full", tmp_path), "No space left"
    )
    assert_user_error(in_shell("detect - <&-", tmp_path), "standard input: has no pictures")


@pytest.mark.parametrize("encoding", ["cp1252", "koi8-r", "ascii"])
def test_consoles_without_the_letters(
    in_process: Run, samples: Path, tmp_path: Path, encoding: str
) -> None:
    """Names that a console cannot show are no reason to stop, whichever command says them."""
    for label, picture in (("with_mask", "astronaut_masked"), ("without_mask", "astronaut")):
        (tmp_path / "面" / label).mkdir(parents=True)
        shutil.copy(samples / f"{picture}.jpg", tmp_path / "面" / label / "图.jpg")
    (tmp_path / "面" / "with_mask" / "坏.jpg").write_text("no picture")
    picture = "面/without_mask/图.jpg"
    for words in (
        ["detect", picture, "--no-output", "--verbose", "--json"],
        ["heatmap", picture, "--output", "热.jpg"],
        ["evaluate", "--dataset", "面", "--output", "评"],
        ["dataset", "check", "面", "--output", "查"],
    ):
        done = in_process(*words, encoding=encoding)
        assert done.code == 0, (words, done.errors)
        assert done.output
    done = in_process("detect", "无.jpg", encoding=encoding)
    assert done.code == 1
    assert "no such file" in done.errors


def test_names_that_are_not_utf_8(in_process: Run, samples: Path, tmp_path: Path) -> None:
    """Files and class folders named in another encoding are read, and appear in reports."""
    for label, picture in (("b\udcfcr", "astronaut"), ("caf\udce9", "astronaut_masked")):
        folder = tmp_path / "d" / label
        folder.mkdir(parents=True)
        shutil.copy(samples / f"{picture}.jpg", folder / "p\udce9.jpg")
    shutil.copy(samples / "astronaut.mp4", tmp_path / "v\udce9.mp4")
    for words in (
        ["dataset", "check", "d"],
        ["evaluate", "--video", "v\udce9.mp4", "--label", "without_mask"],
        ["detect", "v\udce9.mp4", "--max-frames", "2", "--plot", "p.png", "--json", "a.jsonl"],
    ):
        done = in_process(*words)
        assert done.code == 0, done.errors


def test_a_name_that_looks_like_a_formula(in_process: Run, samples: Path, tmp_path: Path) -> None:
    """A video's name is its plot's title as it is."""
    shutil.copy(samples / "astronaut.mp4", tmp_path / "a$b^$.mp4")
    done = in_process("detect", "a$b^$.mp4", "--max-frames", 2, "--no-output", "--plot", "p.png")
    assert done.code == 0, done.errors


@pytest.mark.parametrize("home", [None, "/nonexistent"])
def test_a_user_without_a_home(
    in_process: Run, samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    home: str | None,
) -> None:  # fmt: skip
    """As in a container that runs as a number: caches go to a temporary folder."""
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "MPLCONFIGDIR"):
        # Set first, so that what the command sets is taken back, too.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)

    def unknown(number: int) -> None:
        raise KeyError(number)

    if home is None:
        monkeypatch.setattr("pwd.getpwuid", unknown)
    else:
        monkeypatch.setenv("HOME", home)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    done = in_process("detect", samples / "coffee.jpg", "--no-output")
    assert (done.code, done.errors) == (0, "")
    assert Path(os.environ["MPLCONFIGDIR"]).is_relative_to(tmp_path / "temporary")
    assert assets.cache_folder().is_relative_to(home or tmp_path / "temporary")


_LONG, _LONGEST = "n" * 300, "n" * 251


@pytest.mark.parametrize(
    "words",
    [
        ["detect", _LONG],
        ["detect", f"{_LONG}.jpg"],
        ["detect", f"{_LONG}.txt"],
        ["detect", f"{_LONG}/*.jpg"],
        ["detect", f"door={_LONG}"],
        ["heatmap", _LONG],
        ["detect", "PICTURE", "--output", f"{_LONG}.jpg"],
        ["detect", "PICTURE", "--output", _LONG],
        ["detect", "PICTURE", "--no-output", "--json", _LONG],
        ["detect", "PICTURE", "--no-output", "--csv", _LONG],
        ["detect", "PICTURE", "--no-output", "--summary", _LONG],
        ["detect", "PICTURE", "--no-output", "--grid", f"{_LONG}.png"],
        ["detect", "PICTURE", "--no-output", "--plot", f"{_LONG}.png"],
        ["heatmap", "PICTURE", "--output", f"{_LONG}.jpg"],
        ["heatmap", "PICTURE", "--raw", f"{_LONG}.npz"],
        ["evaluate", "--video", "VIDEO", "--label", "with_mask", "--output", _LONG],
        ["dataset", "check", "SAMPLES", "--output", _LONG],
        ["detect", "/".join(["n" * 200] * 30)],
    ],
    ids=lambda words: " ".join(words)[:40],
)
def test_names_that_no_file_can_have(in_process: Run, samples: Path, words: list[str]) -> None:
    """A name too long for the file system is one line, wherever it stands."""
    places = {"PICTURE": "astronaut.jpg", "VIDEO": "astronaut.mp4", "SAMPLES": ""}
    done = in_process(*(samples / places[word] if word in places else word for word in words))
    assert (done.code, len(done.errors.splitlines())) == (1, 1), done.errors


def test_names_as_long_as_a_file_can_have(in_process: Run, samples: Path, tmp_path: Path) -> None:
    """Everything is written under them, though unfinished files have longer names."""
    shutil.copy(samples / "astronaut.jpg", tmp_path / f"{_LONGEST}.jpg")
    shutil.copy(samples / "astronaut.mp4", tmp_path / f"{_LONGEST}.mp4")
    done = in_process(
        "detect", f"{_LONGEST}.jpg", f"{_LONGEST}.mp4", "--max-frames", "2", "--output", "out",
        "--save-crops", "crops", "--summary", "s" * 250 + ".json", "--grid", "g" * 251 + ".png",
        "--plot", "p" * 251 + ".png",
    )  # fmt: skip
    assert done.code == 0, done.errors
    assert len(list((tmp_path / "out").iterdir())) == 2
    assert len(list((tmp_path / "crops").rglob("*.jpg"))) == 2
    assert not list(tmp_path.rglob(".*partial*"))
    done = in_process("heatmap", f"{_LONGEST}.jpg", "--output", "h" * 251 + ".jpg")
    assert done.code == 0, done.errors
