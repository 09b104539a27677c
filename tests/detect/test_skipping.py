"""`--skip-existing`: what an earlier run has done is left out, and what it has not is not."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from command_line import Cli
from maskdet.detect.skipping import leave_out_done
from maskdet.errors import OutputError
from maskdet.media.inputs.pictures import PictureSource
from maskdet.media.recording.writer import VideoWriter
from maskdet.media.sources import open_sources

_NOBODY = np.full((48, 64, 3), 90, np.uint8)


def _film(path: Path, frames: int) -> None:
    with VideoWriter(path, 25) as video:
        for _ in range(frames):
            video.write(_NOBODY)


def _folder(place: Path) -> Path:
    place.mkdir()
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(place / name), _NOBODY)
    _film(place / "c.mp4", 60)
    return place


def test_a_second_run_does_what_is_missing(maskdet: Cli, tmp_path: Path) -> None:
    """And says how much it left out; a third has nothing to do."""
    run = ("detect", _folder(tmp_path / "in"), "--output", "out", "--skip-existing")
    first = maskdet(*run)
    assert first.returncode == 0, first.stderr
    assert "0 sources skipped" in first.stdout
    kept = (tmp_path / "out/a.png").stat().st_mtime_ns
    (tmp_path / "out/b.png").unlink()
    second = maskdet(*run, "--json", "second.jsonl", "--summary", "second.json")
    assert second.returncode == 0, second.stderr
    seen = [json.loads(line) for line in (tmp_path / "second.jsonl").read_text().splitlines()]
    assert [Path(record["source"]).name for record in seen] == ["b.png"]
    assert json.loads((tmp_path / "second.json").read_text())["skipped"] == 2
    assert (tmp_path / "out/a.png").stat().st_mtime_ns == kept
    third = maskdet(*run)
    assert third.returncode == 0, third.stderr
    assert "3 sources skipped" in third.stdout


def test_a_video_that_was_stopped_is_made_anew(tmp_path: Path) -> None:
    """What there is of it stays, under another name."""
    _folder(tmp_path / "in")
    out = tmp_path / "out"
    sources = open_sources([str(tmp_path / "in")])
    _film(out / "c.mp4", 12)
    said: list[str] = []
    left = leave_out_done(sources, out, max_frames=None, log=said.append)
    assert (left.sources, left.skipped) == (sources, 0)
    aside = [path.name for path in out.iterdir()]
    assert len(aside) == 1
    assert aside[0].startswith("c-2")
    assert "c.mp4: breaks off early" in said[0]
    _film(out / "c.mp4", 59)
    again = leave_out_done(sources, out, max_frames=None, log=said.append)
    assert [source.kind for source in again.sources] == ["pictures"]
    _film(out / "c.mp4", 12)
    few = leave_out_done(sources, out, max_frames=12, log=said.append)
    assert few.skipped == 1


def test_what_is_no_video_is_none_that_is_done(tmp_path: Path) -> None:
    """It is no output of an earlier run, and is not written over either."""
    _folder(tmp_path / "in")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/c.mp4").write_text("my notes")
    sources = open_sources([str(tmp_path / "in/c.mp4")])
    left = leave_out_done(sources, tmp_path / "out", max_frames=None, log=lambda _: None)
    assert left.sources == sources
    assert [path.read_text() for path in (tmp_path / "out").iterdir()] == ["my notes"]


def test_two_files_of_one_name_are_told_of(tmp_path: Path) -> None:
    """Nobody knows whose annotated picture is there."""
    paths = [tmp_path / folder / "front.png" for folder in ("x", "y")]
    pictures = PictureSource(paths, "*/front.png", "pictures")
    out = tmp_path / "out"
    assert leave_out_done([pictures], out, max_frames=None, log=print).sources == [pictures]
    out.mkdir()
    cv2.imwrite(str(out / "front.png"), _NOBODY)
    with pytest.raises(OutputError, match=r"front\.png: several sources give a file of this name"):
        leave_out_done([pictures], out, max_frames=None, log=print)


def test_skipping_needs_to_know_where(maskdet: Cli, tmp_path: Path) -> None:
    """A fresh folder has nothing to skip; and what is replaced is not skipped."""
    folder = _folder(tmp_path / "in")
    for more, word in (
        ((), "--skip-existing needs --output"),
        (("--output", "out", "--overwrite"), "--skip-existing excludes --overwrite"),
    ):
        refused = maskdet("detect", folder, "--skip-existing", *more)
        assert (refused.returncode, word in refused.stderr) == (2, True), refused.stderr
