"""Reading boxed photographs."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskdet.annotations import read_annotations, read_yolo
from maskdet.errors import DatasetError

VOC = """<annotation><filename>{name}</filename>{size}<object><name>with_mask</name>
<bndbox><xmin>20</xmin><ymin>10</ymin><xmax>60</xmax><ymax>50</ymax></bndbox></object>
<object><name>mask_weared_incorrect</name></object>
<object><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></object>
<object><name>without_mask</name><bndbox><xmin>90</xmin><ymin>40</ymin><xmax>70</xmax>
<ymax>20</ymax></bndbox></object></annotation>"""
SIZE = "<size><width>100</width><height>50</height></size>"


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder with two pictures; nothing here looks inside them."""
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(b"")
    (folder / "b.png").write_bytes(b"")
    return folder


def write(folder: Path, name: str, content: Any) -> Path:
    """Writes an annotation file, JSON unless it is text."""
    folder.mkdir(exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / name).write_text(text)
    return folder


def test_yolo_boxes_worked_out(tmp_path: Path) -> None:
    """Centre and size in shares become corners in pixels; other classes are left out."""
    (tmp_path / "a.jpg").write_bytes(b"")
    (tmp_path / "unlabelled.jpg").write_bytes(b"")
    (tmp_path / "a.txt").write_text("1 0.5 0.5 0.2 0.4\n0 0.1 0.2 0.2 0.2\n\n7 0 0 1 1\n")
    (photograph,) = read_yolo(tmp_path, tmp_path, {0: "without_mask", 1: "with_mask"})
    assert photograph.labels == ("with_mask", "without_mask")
    pixels = photograph.xyxy(200, 100)
    assert pixels[0] == pytest.approx([80, 30, 120, 70])
    assert pixels[1] == pytest.approx([0, 10, 40, 30])


def test_yolo_errors_name_file_and_line(tmp_path: Path) -> None:
    """A line of another shape is pointed at."""
    (tmp_path / "a.jpg").write_bytes(b"")
    (tmp_path / "a.txt").write_text("1 0.5 0.5 0.2 0.4\n1 0.5 0.5\n")
    with pytest.raises(DatasetError, match=r"a\.txt:2: expected 'class cx cy w h'"):
        list(read_yolo(tmp_path, tmp_path, {1: "with_mask"}))
    with pytest.raises(DatasetError, match="no such folder"):
        list(read_yolo(tmp_path / "none", tmp_path, {}))


def test_names_with_dots_are_not_cut(tmp_path: Path) -> None:
    """What belongs to a.b.jpg is not that of a.jpg; a mark before the text is no part of it."""
    for name in ("a.jpg", "c.d.jpg"):
        (tmp_path / name).write_bytes(b"")
    labels = write(tmp_path / "labels", "a.b.txt", "1 0.5 0.5 0.2 0.4\n")
    write(labels, "a.txt", "\ufeff0 0.5 0.5 0.2 0.4\n")
    write(labels, "c.d.txt", "2 0.5 0.5 0.2 0.4\n")
    found = read_annotations(tmp_path, labels)
    assert [photo.labels for photo in found.photographs] == [("0",), ("2",)]
    assert found.problems == ("a.b.txt: no picture of the name a.b: left out",)


def test_the_format_said_is_believed(tmp_path: Path, images: Path) -> None:
    """Where there are files of two formats, that of the most is taken unless another is said."""
    labels = write(tmp_path / "labels", "a.xml", VOC.format(name="a.jpg", size=SIZE))
    write(labels, "a.txt", "A street. There are 2 people.\n")
    write(labels, "b.txt", "One of them sits.\n")
    assert read_annotations(images, labels).format == "voc"
    write(labels, "a.txt", "1 0.5 0.5 0.2 0.4\n")
    write(labels, "b.txt", "1 0.5 0.5 0.2 0.4\n")
    assert read_annotations(images, labels).format == "yolo"
    assert read_annotations(images, labels, "voc").format == "voc"
    with pytest.raises(DatasetError, match="is not coco, it looks like yolo"):
        read_annotations(images, labels, "coco")
    with pytest.raises(DatasetError, match=r"holds no annotations .*name the folder of the files"):
        read_annotations(images, labels / "a.txt")


def test_yolo_slips_are_noted(tmp_path: Path, images: Path) -> None:
    """Bad lines, empty and outlying boxes, and pictures without labels are told, not fatal."""
    lines = "1 0.5 0.5 0.2 0.4 0.9\n\n0 0.5 0.5 0 0.2\n0 3 3 0.1 0.1\n0 nan 0.5 0.1 0.1\n"
    labels = write(tmp_path / "labels", "a.txt", lines)
    write(labels, "gone.txt", "1 0.5 0.5 0.2 0.4\n")
    found = read_annotations(images, labels)
    assert found.format == "yolo"
    (photograph,) = found.photographs
    assert photograph.labels == ("1",)
    expected = ["line 3 has an empty", "line 4 lies outside", "not finite"]
    expected += ["no picture of the name gone", "b.png: has no annotations"]
    assert len(found.problems) == len(expected)
    for words, problem in zip(expected, found.problems, strict=True):
        assert words in problem


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("classes.txt", "bare\nmasked\n"),
        ("data.yaml", "nc: 2\nnames: ['bare', 'masked']\n"),
        ("data.yaml", "names:\n  0: bare\n  1: masked\nnc: 2\n"),
        ("data.yaml", "names:\n- bare\n- masked\n"),
    ],
)
def test_yolo_names_files(tmp_path: Path, images: Path, name: str, text: str) -> None:
    """Classes take their names from the files that labelling tools write."""
    labels = write(tmp_path / "labels", "a.txt", "1 0.5 0.5 0.2 0.4\n0 0.5 0.5 0.2 0.4\n")
    write(labels, name, text)
    assert read_annotations(images, labels).photographs[0].labels == ("masked", "bare")


def test_voc(tmp_path: Path, images: Path) -> None:
    """Boxes are scaled from the stated size to the picture's; a reversed one is turned round."""
    labels = write(tmp_path / "labels", "a.xml", VOC.format(name="a.jpg", size=SIZE))
    write(labels, "b.xml", VOC.format(name="C:\\old\\b.png", size=""))
    write(labels, "c.xml", "<annotation>")
    found = read_annotations(images, labels, "voc")
    sized, plain = found.photographs
    assert sized.labels == ("with_mask", "without_mask")
    assert sized.xyxy(200, 100).tolist() == [[40, 20, 120, 100], [140, 40, 180, 80]]
    assert plain.xyxy(200, 100).tolist() == [[20, 10, 60, 50], [70, 20, 90, 40]]
    text = "\n".join(found.problems)
    for words in ("object 2 has no box", "object 3 has no name", "reversed", "c.xml: is not XML"):
        assert words in text


@pytest.mark.parametrize("encoding", ["no-such-thing", "shift_jis", "utf-16"])
def test_voc_in_a_strange_encoding(tmp_path: Path, images: Path, encoding: str) -> None:
    """A file that cannot be decoded is named, and its picture left out, not taken for empty."""
    labels = write(tmp_path / "labels", "a.xml", VOC.format(name="a.jpg", size=SIZE))
    write(labels, "b.xml", f'<?xml version="1.0" encoding="{encoding}"?><annotation/>')
    found = read_annotations(images, labels)
    assert [photo.path.name for photo in found.photographs] == ["a.jpg"]
    assert any("b.xml: is not XML" in problem for problem in found.problems)
    assert any("b.png: has no annotations" in problem for problem in found.problems)


def test_coco(tmp_path: Path, images: Path) -> None:
    """Left, top, width and height become corners; strays and crowds are left out."""
    boxes: list[dict[str, Any]] = [
        {"id": 1, "image_id": 7, "category_id": 1, "bbox": [10, 20, 30, 40]},
        {"id": 2, "image_id": 7, "category_id": 2, "bbox": [10, 20, 30, 40], "iscrowd": 1},
        {"id": 3, "image_id": 99, "category_id": 1, "bbox": [10, 20, 30, 40]},
        {"id": 4, "image_id": 7, "category_id": 5, "bbox": [10, "x", 30, 40]},
        {"id": 5, "image_id": 7, "category_id": 5},
    ]
    content = {
        "images": [{"id": 7, "file_name": "sub/a.jpg", "width": 100, "height": 100}, {"id": 8}],
        "annotations": boxes,
        "categories": [{"id": 1, "name": "with_mask"}],
    }
    folder = write(tmp_path / "labels", "all.json", content)
    for place in (folder, folder / "all.json"):
        found = read_annotations(images, place)
        assert found.format == "coco"
        assert found.photographs[0].labels == ("with_mask",)
        assert found.photographs[0].xyxy(200, 200).tolist() == [[20, 40, 80, 120]]
    text = "\n".join(found.problems)
    for words in (
        "2 is a crowd",
        "3 is of no listed",
        "4 has no box",
        "5 has no box",
        "no picture",
    ):
        assert words in text


def test_coco_in_several_files(tmp_path: Path, images: Path) -> None:
    """All files of a folder count; one that lists no pictures is refused."""
    for number, name in enumerate(("a.jpg", "b.png")):
        content = {
            "images": [{"id": 1, "file_name": name}],
            "annotations": [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 30, 40]}],
        }
        folder = write(tmp_path / "labels", f"{number}.json", content)
    found = read_annotations(images, folder, "coco")
    assert [photo.labels for photo in found.photographs] == [("1",), ("1",)]
    write(folder, "1.json", {"images": [], "annotations": []})
    with pytest.raises(DatasetError, match=r"1\.json: lists no pictures"):
        read_annotations(images, folder)


def test_coco_ids_written_as_floats(tmp_path: Path, images: Path) -> None:
    """1.0 is 1, as pandas writes it; a damaged file beside it is noted."""
    content = {
        "images": [{"id": 1, "file_name": "a.jpg"}],
        "annotations": [{"image_id": 1.0, "category_id": 2.0, "bbox": [1, 2, 30, 40]}],
        "categories": [{"id": 2, "name": "with_mask"}],
    }
    folder = write(tmp_path / "labels", "all.json", content)
    write(folder, "broken.json", "{")
    found = read_annotations(images, folder)
    assert [photo.labels for photo in found.photographs] == [("with_mask",)]
    assert any("broken.json: is not JSON" in problem for problem in found.problems)


def test_coco_with_what_json_allows(tmp_path: Path, images: Path) -> None:
    """Ids that are lists, numbers beyond floats, sizes without end: noted, never fatal."""
    huge = 10**400
    box = [10, 20, 30, 40]
    content = {
        "images": [
            {"id": [7], "file_name": "a.jpg", "width": huge, "height": float("inf")},
            {"id": [7], "file_name": "b.png"},
            {"file_name": 3},
        ],
        "annotations": [
            {"id": 1, "image_id": [7], "category_id": [1], "bbox": box},
            {"id": 2, "image_id": [7], "category_id": 1, "bbox": [huge, 1.5, 2, 3]},
            {"id": 3, "image_id": [7], "bbox": box},
            {"id": 4, "image_id": [7], "category_id": 1, "bbox": [1e39, 1, 2, 3]},
        ],
        "categories": [{"id": [1], "name": "with_mask"}, {}],
    }
    found = read_annotations(images, write(tmp_path / "labels", "all.json", content))
    (photograph,) = found.photographs
    assert (photograph.path.name, photograph.labels) == ("a.jpg", ("with_mask",))
    assert photograph.size is None
    text = "\n".join(found.problems)
    for words in (
        "two pictures of the id [7]",
        "2 has no box",
        "3 has no category",
        "4 has a box that is not finite",
        "names no picture",
    ):
        assert words in text


def test_medical_json(tmp_path: Path, images: Path) -> None:
    """One JSON a picture, named inside or by its own name; missing fields are noted."""
    face = {"classname": "face_with_mask", "BoundingBox": [5, 6, 50, 60]}
    content = {"FileName": "a.jpg", "NumOfAnno": 3, "Annotations": [face, {}, 3]}
    labels = write(tmp_path / "labels", "1801.json", content)
    write(labels, "b.png.json", {"Annotations": [face]})
    write(labels, "broken.json", "{")
    write(labels, "deep.json", "[" * 100_000)
    write(labels, "bare.json", {"FileName": "b.png"})
    found = read_annotations(images, labels)
    assert found.format == "medical-json"
    assert [photo.labels for photo in found.photographs] == [("face_with_mask",)] * 2
    assert found.photographs[1].xyxy(9, 9).tolist() == [[5, 6, 50, 60]]
    text = "\n".join(found.problems)
    for words in (
        "annotation 2 has no classname",
        "broken.json: is not JSON",
        "deep.json: is not JSON",
        "bare.json: has no list",
    ):
        assert words in text


def test_label_map(tmp_path: Path, images: Path) -> None:
    """Classes are renamed or left out; a map that fits nothing or leaves nothing is refused."""
    labels = write(tmp_path / "labels", "a.txt", "1 0.5 0.5 0.2 0.4\n0 0.4 0.5 0.2 0.4\n")
    found = read_annotations(images, labels)
    assert found.relabelled({"1": "with_mask", "0": ""}).labels == ("with_mask",)
    kept = found.relabelled({"1": "with_mask"}).photographs[0]
    assert kept.labels == ("with_mask", "0")
    np.testing.assert_array_equal(kept.boxes, found.photographs[0].boxes)
    with pytest.raises(DatasetError, match="no class 'mask' to map: the annotations have 0, 1"):
        found.relabelled({"mask": "with_mask"})
    with pytest.raises(DatasetError, match="drops everything: the annotations have 0, 1"):
        found.relabelled({"1": "", "0": ""})


def test_wrong_annotations(tmp_path: Path, images: Path) -> None:
    """Another format than said, none, nothing there, and two files for a picture: one line each."""
    labels = write(tmp_path / "labels", "a.xml", VOC.format(name="a.jpg", size=SIZE))
    with pytest.raises(DatasetError, match="is not yolo, it looks like voc"):
        read_annotations(images, labels, "yolo")
    with pytest.raises(DatasetError, match="holds no annotations"):
        read_annotations(images, images)
    with pytest.raises(DatasetError, match="no such file or folder"):
        read_annotations(images, tmp_path / "none")
    with pytest.raises(DatasetError, match="no such folder"):
        read_annotations(tmp_path / "none", labels)
    with pytest.raises(DatasetError, match="no pictures in it"):
        read_annotations(labels, labels)
    write(labels / "more", "a.xml", VOC.format(name="a.jpg", size=SIZE))
    with pytest.raises(DatasetError, match=r"annotated twice, in .*a\.xml and .*more/a\.xml"):
        read_annotations(images, labels)
    strangers = write(tmp_path / "strangers", "x.xml", VOC.format(name="x.jpg", size=""))
    with pytest.raises(DatasetError, match="none of the 1 annotations belongs to a picture"):
        read_annotations(images, strangers)
    write(tmp_path / "scraps", "list.json", [1, 2])
    with pytest.raises(DatasetError, match="holds no annotations"):
        read_annotations(images, tmp_path / "scraps")
