"""Which picture annotations belong to, and which way round it was when they were made."""

import json
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from heic import heic
from maskdet.annotations import Annotations, read_annotations
from maskdet.annotations.turning import PictureSize
from maskdet.errors import DatasetError
from maskdet.media.inputs.decoding import read_picture
from train_pictures import flat_png

WIDTH, HEIGHT = 120, 80  # as a camera stores it
BOX = (10, 20, 50, 70)  # in that picture


def draw(path: Path, orientation: int = 1, width: int = WIDTH, height: int = HEIGHT) -> None:
    """Writes a dark picture with a bright box, to be turned as its header says."""
    pixels = np.zeros((height, width, 3), np.uint8)
    left, top, right, bottom = BOX
    pixels[top:bottom, left:right] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, exif=exif)


def voc(path: Path, named: str, size: tuple[int, int] | None, box: tuple[int, ...] = BOX) -> None:
    """Writes a VOC file of one face."""
    sides = "".join(
        f"<{side}>{value}</{side}>"
        for side, value in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    )
    stated = (
        "" if size is None else f"<size><width>{size[0]}</width><height>{size[1]}</height></size>"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"<annotation><filename>{named}</filename>{stated}<object><name>bare</name>"
        f"<bndbox>{sides}</bndbox></object></annotation>",
        encoding="utf-8",
    )


def brightness(found: Annotations, number: int = 0) -> float:
    """Returns how bright a picture is in its one box, as everything here reads it."""
    photograph = found.photographs[number]
    image = read_picture(photograph.path)
    ((left, top, right, bottom),) = (
        photograph.xyxy(image.shape[1], image.shape[0]).round().astype(int)
    )
    return float(image[top:bottom, left:right].mean())


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_boxes_are_turned_with_their_picture(tmp_path: Path, orientation: int, suffix: str) -> None:
    """Where the size is that of the picture as stored, as in the case `exif_voc`."""
    draw(tmp_path / f"img/phone.{suffix}", orientation)
    voc(tmp_path / "voc/phone.xml", f"phone.{suffix}", (WIDTH, HEIGHT))
    found = read_annotations(tmp_path / "img", tmp_path / "voc")
    assert brightness(found) > 245
    turned = read_picture(tmp_path / f"img/phone.{suffix}").shape[1] == HEIGHT
    assert ["before it is turned" in problem for problem in found.problems] == [True] * turned


@pytest.mark.parametrize("scale", [1, 2, 0.5])
@pytest.mark.parametrize("upright", [False, True])
def test_coco_is_turned_likewise(tmp_path: Path, upright: bool, scale: float) -> None:
    """By the width and height of its list, at any scale; boxes of the upright picture stay."""
    draw(tmp_path / "img/phone.jpg", 6)
    left, top, right, bottom = BOX
    box, size = [left, top, right - left, bottom - top], [WIDTH, HEIGHT]
    if upright:
        box, size = [HEIGHT - bottom, left, bottom - top, right - left], [HEIGHT, WIDTH]
    box, (width, height) = [scale * side for side in box], [scale * side for side in size]
    content: dict[str, Any] = {
        "images": [{"id": 1, "file_name": "phone.jpg", "width": width, "height": height}],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": box}],
    }
    (tmp_path / "coco.json").write_text(json.dumps(content))
    assert brightness(read_annotations(tmp_path / "img", tmp_path / "coco.json")) > 245


def test_nearly_square_pictures() -> None:
    """The very size decides where the shape would be right both ways."""
    picture = PictureSize((510, 512), 6)
    assert picture.how_written((510, 512)) == "lying"
    assert picture.how_written((512, 510)) == "upright"
    assert picture.how_written((1024, 1020)) == "upright"
    assert PictureSize((510, 512), 3).how_written((512, 510)) == "upright"
    assert PictureSize((600, 400), 1).how_written((400, 600)) is None


def test_annotations_of_another_picture(tmp_path: Path) -> None:
    """A size that is neither way the picture's leaves it out, with a line, and the others in."""
    draw(tmp_path / "img/1.jpg")
    draw(tmp_path / "img/2.jpg", width=100, height=100)
    draw(tmp_path / "img/3.jpg")
    voc(tmp_path / "voc/1.xml", "1.jpg", (WIDTH, HEIGHT))
    voc(tmp_path / "voc/2.xml", "2.jpg", (WIDTH, HEIGHT))
    voc(tmp_path / "voc/3.xml", "3.jpg", (HEIGHT, WIDTH))
    found = read_annotations(tmp_path / "img", tmp_path / "voc")
    assert [photo.path.name for photo in found.photographs] == ["1.jpg"]
    assert found.problems == (
        "2.xml: is of a picture of 120 x 80, 2.jpg is of 100 x 100: left out",
        "3.xml: is of a picture of 80 x 120, 3.jpg is of 120 x 80: left out",
    )


def test_sizes_that_cannot_be_compared(tmp_path: Path) -> None:
    """Without a size, or with a picture whose header says nothing, the boxes are believed."""
    draw(tmp_path / "img/1.jpg")
    (tmp_path / "img/2.jpg").write_bytes(b"\xff\xd8 no header")
    voc(tmp_path / "voc/1.xml", "1.jpg", (0, 0))
    voc(tmp_path / "voc/2.xml", "2.jpg", (WIDTH, HEIGHT))
    assert len(read_annotations(tmp_path / "img", tmp_path / "voc").photographs) == 2


def test_files_renamed_after_labelling(tmp_path: Path) -> None:
    """The file's own name wins over the one inside, as in the case `stale_voc_names`."""
    draw(tmp_path / "img/1.jpg")
    draw(tmp_path / "img/2.jpg", width=300, height=300)
    voc(tmp_path / "voc/1.xml", "2.jpg", (WIDTH, HEIGHT))
    voc(tmp_path / "voc/2.xml", "1.jpg", (300, 300))
    found = read_annotations(tmp_path / "img", tmp_path / "voc")
    assert found.problems == ()
    assert [photo.size for photo in found.photographs] == [(WIDTH, HEIGHT), (300, 300)]


def test_the_name_inside_where_the_own_does_not_fit(tmp_path: Path) -> None:
    """Files numbered in another order than the pictures are found by what is written inside."""
    draw(tmp_path / "img/1.jpg")
    draw(tmp_path / "img/2.jpg", width=300, height=300)
    voc(tmp_path / "voc/1.xml", "2.jpg", (300, 300))
    voc(tmp_path / "voc/x.xml", "1.jpg", (WIDTH, HEIGHT))
    found = read_annotations(tmp_path / "img", tmp_path / "voc")
    assert [photo.size for photo in found.photographs] == [(WIDTH, HEIGHT), (300, 300)]


@pytest.mark.parametrize("stale", ["0.xml", "z.xml"])
def test_a_file_that_was_left_behind(tmp_path: Path, stale: str) -> None:
    """One that names a picture with annotations of its own name is left out, whichever is first."""
    draw(tmp_path / "img/1.jpg")
    voc(tmp_path / "voc/1.xml", "1.jpg", (WIDTH, HEIGHT))
    voc(tmp_path / "voc" / stale, "1.jpg", (WIDTH, HEIGHT), (1, 1, 9, 9))
    found = read_annotations(tmp_path / "img", tmp_path / "voc")
    assert found.photographs[0].boxes.tolist() == [list(BOX)]
    assert found.problems == (
        f"{stale}: is of 1.jpg by what is written inside, which has its own: left out",
    )


@pytest.mark.parametrize(
    ("on_disk", "written"),
    [
        (unicodedata.normalize("NFD", "été.jpg"), "été.jpg"),
        ("été.jpg", unicodedata.normalize("NFD", "été.jpg")),
        ("IMG_1.JPG", "img_1.jpg"),
        ("img_1.jpg", "IMG_1.JPG"),
        ("day/1.jpg", "C:\\photos\\day\\1.jpg"),
    ],
)
def test_names_as_other_systems_write_them(tmp_path: Path, on_disk: str, written: str) -> None:
    """Accents composed or not, capitals, Windows' paths: all are the file's name."""
    draw(tmp_path / "img" / on_disk)
    draw(tmp_path / "img/night/1.jpg")
    voc(tmp_path / "voc/x.xml", written, (WIDTH, HEIGHT))
    found = read_annotations(tmp_path / "img", tmp_path / "voc")
    assert [photo.path for photo in found.photographs] == [tmp_path / "img" / on_disk]


def test_capitals_alone_tell_two_pictures_apart(tmp_path: Path) -> None:
    """Where both are there, each has its own annotations."""
    for number, name in enumerate(("a", "A")):
        draw(tmp_path / f"img/{name}.jpg", width=100 + number)
        voc(tmp_path / f"voc/{name}.xml", "", (100 + number, HEIGHT))
    found = read_annotations(tmp_path / "img", tmp_path / "voc")
    assert {photo.path.stem: photo.size for photo in found.photographs} == {
        "a": (100, HEIGHT),
        "A": (101, HEIGHT),
    }


def test_a_picture_of_which_nothing_is_known(tmp_path: Path) -> None:
    """One whose only face has no box, or no name, is not one without faces."""
    for name in ("a", "b", "c"):
        draw(tmp_path / f"img/{name}.jpg")
    (tmp_path / "voc").mkdir()
    texts = {
        "a": "<object><name>bare</name></object>",
        "b": "<object><bndbox/></object>",
        "c": "",
    }
    for name, text in texts.items():
        (tmp_path / f"voc/{name}.xml").write_text(f"<annotation>{text}</annotation>")
    found = read_annotations(tmp_path / "img", tmp_path / "voc")
    assert [photo.path.name for photo in found.photographs] == ["c.jpg"]
    assert "a.xml: nothing in it can be used: a.jpg left out" in found.problems
    assert "b.xml: nothing in it can be used: b.jpg left out" in found.problems


def test_xml_as_windows_saves_it(tmp_path: Path) -> None:
    """Without a word on its encoding it may be Windows' own; with a mark, UTF-16."""
    for number, encoding in enumerate(("utf-8-sig", "cp1252", "utf-16")):
        draw(tmp_path / f"img/{number}.jpg")
        voc(tmp_path / f"voc/{number}.xml", "é.jpg", (WIDTH, HEIGHT))
        path = tmp_path / f"voc/{number}.xml"
        path.write_bytes(path.read_text("utf-8").replace("bare", "démasqué").encode(encoding))
    found = read_annotations(tmp_path / "img", tmp_path / "voc")
    assert [photo.labels for photo in found.photographs] == [("démasqué",)] * 3


def test_coco_polygons(tmp_path: Path) -> None:
    """A face outlined instead of boxed has a box, too; what is no outline has none."""
    draw(tmp_path / "img/a.jpg")
    left, top, right, bottom = BOX
    outline = [[left, top, right, top, right, 40], [left, 40, left, bottom]]
    content = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": WIDTH, "height": HEIGHT}],
        "annotations": [
            {"image_id": 1, "category_id": 1, "bbox": [], "segmentation": outline},
            {"image_id": 1, "category_id": 1, "segmentation": {"counts": [1, 2]}},
            {"image_id": 1, "category_id": 1, "segmentation": [[], ["x"]]},
            {"image_id": 1, "category_id": 1, "segmentation": [[10**400, 1]]},
        ],
    }
    (tmp_path / "coco.json").write_text(json.dumps(content), encoding="utf-16")
    found = read_annotations(tmp_path / "img", tmp_path / "coco.json")
    assert found.photographs[0].boxes.tolist() == [list(BOX)]
    assert len(found.problems) == 3


def test_files_that_are_not_looked_at(tmp_path: Path) -> None:
    """Pictures nobody reads are named in one line; text and what systems leave are not."""
    draw(tmp_path / "img/a.jpg")
    voc(tmp_path / "img/a.xml", "a.jpg", None)
    for name in ("b.xcf", "c.xcf", "notes.txt", ".DS_Store", "Thumbs.db", "__MACOSX/._a.jpg"):
        (tmp_path / "img" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "img" / name).touch()
    found = read_annotations(tmp_path / "img", tmp_path / "img")
    assert found.problems == (
        f"{tmp_path}/img: not looked at: 2 files (.xcf 2), such as b.xcf, c.xcf",
    )


def test_large_pictures(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    """A header beyond what Pillow warns of is compared quietly, one it refuses is believed."""
    for name, width, height in (("a", 12000, 8000), ("b", 12000, 8000), ("c", 16000, 12000)):
        (tmp_path / "img").mkdir(exist_ok=True)
        (tmp_path / f"img/{name}.png").write_bytes(flat_png(width, height))
    voc(tmp_path / "voc/a.xml", "", (120, 80))
    voc(tmp_path / "voc/b.xml", "", (80, 120))
    voc(tmp_path / "voc/c.xml", "", (80, 120))
    found = read_annotations(tmp_path / "img", tmp_path / "voc")
    assert [photo.path.name for photo in found.photographs] == ["a.png", "c.png"]
    assert not [warning for warning in recwarn if "pixels" in str(warning.message)]


@pytest.mark.parametrize("turns", [0, 1])
def test_boxes_beside_heic(tmp_path: Path, turns: int) -> None:
    """A phone's own format is turned by all that show it: boxes of another shape are not its."""
    pixels = np.zeros((WIDTH, HEIGHT, 3) if turns else (HEIGHT, WIDTH, 3), np.uint8)
    (tmp_path / "p.heic").write_bytes(heic(pixels, 64, turns=turns))
    voc(tmp_path / "xml/p.xml", "p.heic", (WIDTH, HEIGHT))
    found = read_annotations(tmp_path, tmp_path / "xml")
    assert found.photographs[0].boxes.tolist() == [list(BOX)]
    voc(tmp_path / "xml/p.xml", "p.heic", (HEIGHT, WIDTH))
    with pytest.raises(DatasetError, match=r"of a picture of 80 x 120, p\.heic is of 120 x"):
        read_annotations(tmp_path, tmp_path / "xml")
