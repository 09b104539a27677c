"""`maskdet dataset check`: what is wrong with class folders, and a cleaned copy."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from command_line import Cli, assert_user_error
from maskdet.class_folders.faces_file import FaceRow, write_faces
from maskdet.class_folders.listing import list_pictures
from maskdet.dataset.check import CheckOptions, check
from maskdet.dataset.clean import write_cleaned
from maskdet.dataset.findings import look
from maskdet.errors import DatasetError, OutputError
from train_pictures import made_up_face


def silent(_: float, __: str) -> None:
    """Shows nothing."""


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """Class folders with one fault of every kind."""
    folder = tmp_path / "faces"
    random = np.random.default_rng(0)
    for label, count in (("with_mask", 6), ("without_mask", 3)):
        (folder / label).mkdir(parents=True)
        for number in range(count):
            cv2.imwrite(str(folder / label / f"{number}.png"), made_up_face(random, label))
    masked, bare = folder / "with_mask", folder / "without_mask"
    (masked / "broken.jpg").write_bytes(b"\xff\xd8 not a picture")
    (masked / "empty.png").write_bytes(b"")
    larger = cv2.resize(cv2.imread(str(masked / "0.png")), (96, 96))
    cv2.imwrite(str(masked / "copy.png"), larger)
    shutil.copy(masked / "1.png", bare / "both.png")
    # Nearly the same face in both classes, as with a mask pasted on.
    near = cv2.imread(str(masked / "2.png"))
    near[20:24, 20:24] = 0
    cv2.imwrite(str(bare / "near.png"), near)
    cv2.imwrite(str(bare / "tiny.png"), made_up_face(random, "without_mask", 20))
    alpha = np.dstack([made_up_face(random, "without_mask"), np.full((64, 64), 200, np.uint8)])
    cv2.imwrite(str(bare / "alpha.png"), alpha)
    cv2.imwrite(str(bare / "grey.png"), made_up_face(random, "without_mask")[..., 0])
    deep = made_up_face(random, "without_mask").astype(np.uint16) * 257
    cv2.imwrite(str(bare / "deep.png"), deep)
    return folder


def test_every_fault_is_found(faulty: Path) -> None:
    """Each is named once, in its own place."""
    finding = look(faulty, show=silent)
    report = finding.report()
    assert report["pictures"] == {"with_mask": 7, "without_mask": 9}
    assert [Path(line.split(":")[0]).name for line in finding.unreadable] == [
        "broken.jpg",
        "empty.png",
    ]
    assert report["near_duplicates"]["within_classes"] == [
        ["with_mask/0.png", "with_mask/copy.png"]
    ]
    across = {tuple(pair) for pair in report["near_duplicates"]["across_classes"]}
    assert ("with_mask/1.png", "without_mask/both.png") in across
    assert ("with_mask/2.png", "without_mask/near.png") in across
    assert report["contradictory"] == ["with_mask/1.png", "without_mask/both.png"]
    assert report["tiny"] == ["without_mask/tiny.png"]
    modes = report["colour_modes"]
    assert (modes["with alpha"], modes["grey"], modes["16-bit colour"]) == (1, 1, 1)
    assert report["imbalance"] == pytest.approx(9 / 7, abs=1e-3)


def test_palette_and_cmyk_pictures_are_named_and_made_plain(tmp_path: Path) -> None:
    """OpenCV would read either as common colours; the copy holds them as such."""
    folder, copy = tmp_path / "faces", tmp_path / "clean"
    random = np.random.default_rng(2)
    for label in ("with_mask", "without_mask"):
        (folder / label).mkdir(parents=True)
        for number in range(2):
            cv2.imwrite(str(folder / label / f"{number}.png"), made_up_face(random, label))
    picture = Image.fromarray(made_up_face(random, "with_mask")[..., ::-1])
    picture.quantize(64).save(folder / "with_mask" / "palette.png")
    picture = Image.fromarray(made_up_face(random, "without_mask")[..., ::-1])
    picture.convert("CMYK").save(folder / "without_mask" / "press.jpg")
    finding = look(folder, show=silent)
    modes = finding.report()["colour_modes"]
    assert (modes["palette"], modes["CMYK"], modes["colour"]) == (1, 1, 4)
    write_cleaned(finding, copy)
    assert set(look(copy, show=silent).report()["colour_modes"]) == {"colour"}


def test_huge_pictures_are_scaled_in_the_copy(tmp_path: Path) -> None:
    """Longer than 4096 pixels is huge; the copy is smaller, its box with it."""
    folder = tmp_path / "faces"
    random = np.random.default_rng(0)
    for label in ("a", "b"):
        (folder / label).mkdir(parents=True)
        cv2.imwrite(str(folder / label / "x.png"), made_up_face(random, label))
    huge = cv2.resize(made_up_face(random, "b"), (4100, 410))
    cv2.imwrite(str(folder / "b" / "huge.jpg"), huge)
    write_faces(folder, [FaceRow("b/huge.jpg", box=(410, 41, 820, 82))])
    finding, _, changes = check(
        CheckOptions(folder, tmp_path / "report", tmp_path / "clean"), show=silent
    )
    assert finding.report()["huge"] == ["b/huge.jpg"]
    assert changes is not None
    assert changes["scaled down or made plain"] == 1
    assert cv2.imread(str(tmp_path / "clean/b/huge.jpg")).shape[1] == 2048
    boxes = {picture.path.name: picture.box for picture in list_pictures(tmp_path / "clean")}
    assert boxes["huge.jpg"] == pytest.approx((204.8, 20.5, 409.6, 41.0), abs=0.1)


def test_command_reports_and_cleans(faulty: Path, tmp_path: Path, fresh_maskdet: Cli) -> None:
    """The copy is clean and keeps near-duplicates together; the original is as it was."""
    before = {path: path.read_bytes() for path in faulty.rglob("*") if path.is_file()}
    done = fresh_maskdet("dataset", "check", "faces", "--output", "report", "--fix", "clean")
    assert done.returncode == 0, done.stderr
    assert "near-duplicates, left out 1" in done.stdout
    assert "broken.jpg" in done.stderr
    assert {path: path.read_bytes() for path in faulty.rglob("*") if path.is_file()} == before
    assert json.loads((tmp_path / "report/check.json").read_text())["imbalance"] > 1
    for name in ("classes.png", "sheet.jpg"):
        assert cv2.imread(str(tmp_path / "report" / name)) is not None
    clean = look(tmp_path / "clean", show=silent)
    assert (clean.unreadable, clean.within, clean.contradictory) == ((), (), frozenset())
    assert set(clean.report()["colour_modes"]) == {"colour", "grey"}
    assert not (tmp_path / "clean/with_mask/0.png").exists()  # copy.png is the larger one
    groups = {
        f"{picture.label}/{picture.path.name}": picture.group
        for picture in list_pictures(tmp_path / "clean")
    }
    assert groups["with_mask/2.png"] == groups["without_mask/near.png"]
    assert groups["with_mask/2.png"] is not None


def test_what_is_not_looked_at_is_told(faulty: Path, tmp_path: Path, maskdet: Cli) -> None:
    """Empty classes, classes of broken files and files of other kinds are findings, not errors."""
    (faulty / "none").mkdir()
    (faulty / "broken").mkdir()
    (faulty / "broken" / "x.jpg").write_bytes(b"x")
    for name in ("a.dng", "b.DNG", "notes.txt"):
        (faulty / "with_mask" / name).write_bytes(b"x")
    done = maskdet("dataset", "check", "faces", "--output", "report")
    assert done.returncode == 0, done.stderr
    assert "nothing to read in broken, none" in done.stdout
    assert "3: .dng 2, .txt 1" in done.stdout
    report = json.loads((tmp_path / "report" / "check.json").read_text())
    assert report["pictures"]["none"] == 0
    assert report["empty_classes"] == ["broken", "none"]
    assert "with_mask/a.dng" in report["other_files"]
    cleaned = maskdet("dataset", "check", "faces", "--fix", "clean")
    assert_user_error(cleaned, "class 'broken' would be empty: nothing was written")
    assert not (tmp_path / "clean").exists()


def test_bad_folders(tmp_path: Path, faulty: Path, maskdet: Cli) -> None:
    """No classes, nothing readable, a copy inside the original: one line each."""
    (tmp_path / "none").mkdir()
    assert_user_error(maskdet("dataset", "check", "none"), "none", "no class folders")
    (tmp_path / "bad" / "a").mkdir(parents=True)
    (tmp_path / "bad" / "a" / "x.jpg").write_bytes(b"x")
    with pytest.raises(DatasetError, match="no class folders with pictures that can be read"):
        look(tmp_path / "bad", show=silent)
    for inside in (
        CheckOptions(faulty, tmp_path / "r", faulty / "clean"),
        CheckOptions(faulty, faulty / "with_mask" / "report"),
    ):
        with pytest.raises(OutputError, match="lies inside"):
            check(inside, show=silent)
    with pytest.raises(OutputError, match="not empty"):
        check(CheckOptions(faulty, fix=tmp_path), show=silent)
    assert maskdet("dataset", "check", "missing").returncode == 2
