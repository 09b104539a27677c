"""`maskdet dataset faces`: boxes for the pictures of class folders."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from command_line import SAMPLES, Cli
from maskdet.class_folders.faces_file import FaceRow, read_faces, write_faces
from maskdet.class_folders.listing import list_pictures
from maskdet.dataset.faces import main_face
from maskdet.train.framing import framing_hints


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A masked face, a bare one in a large picture, and a picture without a face."""
    found = tmp_path / "faces"
    for label, name in (
        ("with_mask", "astronaut_masked.jpg"),
        ("without_mask", "astronaut.jpg"),
    ):
        (found / label).mkdir(parents=True, exist_ok=True)
        shutil.copy(SAMPLES / name, found / label)
    stripes = np.tile(np.arange(0, 256, 2, np.uint8), (96, 1))
    cv2.imwrite(str(found / "without_mask" / "stripes.png"), stripes)
    return found


def test_boxes_are_found_and_kept(maskdet: Cli, folder: Path) -> None:
    """Where there is one face; those that are noted stay, unless asked otherwise."""
    done = maskdet("dataset", "faces", folder)
    assert done.returncode == 0, done.stderr
    assert "2 faces found" in done.stdout
    assert "1 pictures without a face" in done.stdout
    boxes = read_faces(folder)
    assert set(boxes) == {"with_mask/astronaut_masked.jpg", "without_mask/astronaut.jpg"}
    box = boxes["without_mask/astronaut.jpg"][0]
    assert box is not None
    left, top, right, bottom = box
    assert left < 224 < right
    assert top < 120 < bottom
    write_faces(folder, [FaceRow("without_mask/astronaut.jpg", "club", (1, 2, 30, 40))])
    assert "were there" in maskdet("dataset", "faces", folder).stdout
    assert read_faces(folder)["without_mask/astronaut.jpg"] == ((1, 2, 30, 40), "club")
    maskdet("dataset", "faces", folder, "--overwrite")
    again = read_faces(folder)["without_mask/astronaut.jpg"]
    assert again == (box, "club")


def test_the_trainer_says_that_boxes_are_missing(folder: Path) -> None:
    """Where faces are small in whole pictures; not where their boxes are noted."""
    hints = framing_hints([folder], list_pictures(folder))
    assert len(hints) == 1
    assert f"maskdet dataset faces {folder} finds them" in hints[0]
    names = [path.relative_to(folder).as_posix() for path in folder.glob("*/*")]
    write_faces(folder, [FaceRow(name, box=(1, 2, 30, 40)) for name in names])
    assert not framing_hints([folder], list_pictures(folder))


def test_the_main_face() -> None:
    """The only one, or one that is four times as large as any other."""
    large, small, middle = [0, 0, 40, 40], [50, 50, 70, 70], [50, 50, 80, 80]
    assert main_face(np.zeros((0, 4), np.float32)) is None
    assert main_face(np.array([middle, large], np.float32)) is None
    found = main_face(np.array([small, large], np.float32))
    assert found is not None
    assert found.tolist() == large
