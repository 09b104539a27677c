"""`maskdet dataset import`: boxed photographs into class folders."""

import csv
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from command_line import Cli, assert_user_error
from maskdet.class_folders.listing import list_pictures
from maskdet.dataset.folders import safe_name
from maskdet.dataset.importing import ImportOptions, import_faces
from maskdet.errors import DatasetError, OutputError


def silent(_: float, __: str) -> None:
    """Shows nothing."""


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """Two pictures of noise with YOLO labels: three faces, one of them tiny, one outside."""
    random = np.random.default_rng(0)
    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    for name in ("a", "b"):
        picture = random.integers(0, 256, (200, 300, 3), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / "images" / f"{name}.png"), picture)
    lines = "1 0.5 0.5 0.2 0.3\n0 0.05 0.1 0.2 0.3\n1 0.5 0.5 0.01 0.01\n"
    (tmp_path / "labels" / "a.txt").write_text(lines)
    (tmp_path / "labels" / "b.txt").write_text("0 0.5 0.5 0.4 0.4\n")
    return tmp_path


def options(folder: Path, **given: Any) -> ImportOptions:
    """Returns options for the fixture's folder."""
    return ImportOptions(folder / "images", folder / "labels", folder / "out", **given)


def test_crops_and_their_boxes(photographs: Path) -> None:
    """A crop has the margin asked for; its box is where the face is; photographs are groups."""
    result = import_faces(
        options(photographs, mapping={"0": "bare", "1": "masked"}, margin=0.5), show=silent
    )
    assert dict(result.counts) == {"bare": 2, "masked": 1}
    assert result.too_small == 1
    crop = cv2.imread(str(photographs / "out/masked/a.png-0.jpg"))
    assert crop.shape == (120, 120, 3)  # a face of 60 x 60 and half of that on every side
    pictures = {picture.path.name: picture for picture in list_pictures(photographs / "out")}
    assert pictures["a.png-0.jpg"].box == pytest.approx((30, 30, 90, 90))
    # Cut off at the photograph's corner: what lies outside it is gone.
    assert pictures["a.png-1.jpg"].box == pytest.approx((0, 0, 45, 50))
    assert pictures["a.png-0.jpg"].group == pictures["a.png-1.jpg"].group
    assert pictures["a.png-0.jpg"].group != pictures["b.png-0.jpg"].group
    with (photographs / "out/faces.csv").open() as stream:
        rows = {row["file"]: row for row in csv.DictReader(stream)}
    assert rows["masked/a.png-0.jpg"]["source"] == "a.png"
    assert float(rows["masked/a.png-0.jpg"]["source_left"]) == 120


def test_bad_pictures_are_told(photographs: Path) -> None:
    """A picture that cannot be read is left out and named, in the output too."""
    (photographs / "images" / "b.png").write_bytes(b"no picture")
    result = import_faces(options(photographs), show=silent)
    assert "b.png: is not a picture" in result.problems[0]
    assert "b.png" in (photographs / "out" / "problems.txt").read_text()


def test_class_names_cannot_leave_the_folder(photographs: Path) -> None:
    """A class called ../x becomes a folder inside the output."""
    import_faces(options(photographs, mapping={"0": "../../x", "1": "/y"}), show=silent)
    assert sorted(p.name for p in (photographs / "out").iterdir() if p.is_dir()) == ["_.._x", "_y"]
    assert not (photographs.parent / "x").exists()


def test_no_crop_takes_anothers_name(photographs: Path) -> None:
    """Pictures whose paths become the same file name keep their own crops and groups."""
    (photographs / "images" / "x").mkdir()
    (photographs / "images" / "a.png").rename(photographs / "images" / "x" / "a.png")
    (photographs / "images" / "b.png").rename(photographs / "images" / "x_a.png")
    (photographs / "labels" / "x").mkdir()
    (photographs / "labels" / "a.txt").rename(photographs / "labels" / "x" / "a.txt")
    (photographs / "labels" / "b.txt").rename(photographs / "labels" / "x_a.txt")
    result = import_faces(options(photographs, mapping={"0": "m", "1": "m"}), show=silent)
    pictures = list_pictures(photographs / "out")
    assert len(pictures) == result.counts["m"] == 3
    assert sorted(str(picture.group) for picture in pictures) == ["0/x/a.png"] * 2 + ["0/x_a.png"]


def test_long_names_are_cut() -> None:
    """The end is kept, in whole characters."""
    name = safe_name("/".join(["é" * 90] * 3) + "/face.jpg")
    assert len(name.encode()) <= 200
    assert name.endswith("é_face.jpg")


def test_a_folder_that_is_there_is_filled(
    photographs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The working directory may be the output: it stays what it is; after an error, empty."""
    out = photographs / "out"
    out.mkdir()
    (out / ".partial").mkdir()  # what a killed run leaves
    inode = out.stat().st_ino
    monkeypatch.chdir(out)
    given = ImportOptions(photographs / "images", photographs / "labels", Path())
    with pytest.raises(DatasetError, match="leaves no face"):
        import_faces(replace(given, min_size=500), show=silent)
    assert not list(out.iterdir())
    import_faces(given, show=silent)
    assert sorted(path.name for path in out.iterdir()) == ["0", "1", "faces.csv"]
    assert out.stat().st_ino == inode


def test_nothing_is_left_behind(photographs: Path) -> None:
    """Where no face is large enough, where the output is taken, nothing is written."""
    with pytest.raises(DatasetError, match="leaves no face of 500 pixels or more"):
        import_faces(options(photographs, min_size=500), show=silent)
    assert sorted(path.name for path in photographs.iterdir()) == ["images", "labels"]
    (photographs / "out").mkdir()
    (photographs / "out" / "mine.txt").write_text("keep")
    with pytest.raises(OutputError, match="is there already and not empty"):
        import_faces(options(photographs), show=silent)
    assert (photographs / "out" / "mine.txt").read_text() == "keep"


def test_a_full_disk(photographs: Path) -> None:
    """When a crop cannot be written there is one line, and no folder."""
    # Larger files than 2 kB fail, as on a disk that is full.
    program = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))\n"
        f"sys.argv = ['maskdet', 'dataset', 'import', {str(photographs / 'images')!r}, "
        f"'--annotations', {str(photographs / 'labels')!r}, "
        f"'--output', {str(photographs / 'out')!r}]\n"
        "from maskdet.cli import main\nmain()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert_user_error(done, "cannot be written", "out")
    assert sorted(path.name for path in photographs.iterdir()) == ["images", "labels"]


def test_medical_classes_have_usual_names(tmp_path: Path, samples: Path, maskdet: Cli) -> None:
    """The command, on the notebooks' format: mask classes renamed, hats left out."""
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    (tmp_path / "images" / "1.jpg").write_bytes((samples / "astronaut.jpg").read_bytes())
    faces = [
        {"classname": "face_no_mask", "BoundingBox": [170, 60, 290, 210]},
        {"classname": "hat", "BoundingBox": [0, 0, 100, 100]},
        {"classname": "face_with_mask"},
    ]
    content = {"FileName": "1.jpg", "NumOfAnno": 3, "Annotations": faces}
    (tmp_path / "labels" / "1.jpg.json").write_text(json.dumps(content))
    arguments = ("dataset", "import", "images", "--annotations", "labels", "--output", "out")
    done = maskdet(*arguments)
    assert done.returncode == 0, done.stderr
    assert "read 1 photographs (medical-json), wrote without_mask 1" in done.stdout
    assert "annotation 3 has no box" in done.stderr
    assert_user_error(maskdet(*arguments), "out", "not empty")
    wrong = maskdet(*arguments[:-1], "other", "--format", "voc")
    assert_user_error(wrong, "is not voc, it looks like medical-json")
    nothing = maskdet(*arguments[:-1], "other", "--map", "face_no_mask=")
    assert_user_error(nothing, "label map drops everything")
    assert maskdet(*arguments[:-1], "other", "--map", "nonsense").returncode == 2
    assert not (tmp_path / "other").exists()
