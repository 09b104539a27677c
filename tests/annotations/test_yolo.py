"""YOLO labels as tools write them: names of classes wherever they are, lines of every form."""

from pathlib import Path

import numpy as np
import pytest

from command_line import Cli, assert_user_error
from maskdet.annotations import read_annotations
from maskdet.annotations.yolo_rows import are_polygons, parse_rows
from maskdet.errors import DatasetError

BOX = "0.4424 0.2403 0.1738 0.2031"
CORNERS = (0.3555, 0.13875, 0.5293, 0.34185)


def write(path: Path, content: str | bytes) -> Path:
    """Writes a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """A part of an export: ``train/images`` with two pictures, ``train/labels`` of two classes."""
    for number, name in enumerate("ab"):
        write(tmp_path / f"set/train/images/{name}.jpg", b"")
        write(tmp_path / f"set/train/labels/{name}.txt", f"{number} {BOX}\n")
    return tmp_path / "set"


def labels_of(export: Path) -> list[tuple[str, ...]]:
    """Returns the labels that are read of each picture of the training part."""
    found = read_annotations(export / "train/images", export / "train/labels")
    return [photograph.labels for photograph in found.photographs]


@pytest.mark.parametrize(
    "text",
    [
        # The first five as in the case `yolo_class_names`.
        "names:  # classes\n  0: no\n  1: yes\n",
        "names: {0: no, 1: yes}\n",
        "names:\n  0: no  # bare\n  1: yes\n",
        "names:\n  0: no\n  2: incorrect\n  1: yes\n",
        "names:\n  1: yes\n  0: no\n",
        "nc: 2\nnames: ['no', \"yes\"]\n",
        "names: [no,\n  yes]\n",
        "names:\n- no\n- yes # masked\n",
        "names:\n    '0': no\n    '1': 'yes'\n    7: hat\n",
        "x: &n\n  0: no\n  1: yes\nnames: *n\n",
        '{"names": {"1": "yes", "0": "no"}}',
        "\ufeffnames: [no, yes]\r\n",
    ],
)
def test_names_in_yaml(export: Path, text: str) -> None:
    """Whatever YAML allows is read, and words that YAML takes for true and false are names."""
    write(export / "data.yaml", text)
    assert labels_of(export) == [("no",), ("yes",)]


@pytest.mark.parametrize(
    "place",
    ["data.yaml", "train/data.yaml", "train/labels/data.yml", "Dataset.yaml", "masks.yaml"],
)
def test_where_yaml_lies(export: Path, place: str) -> None:
    """At the root of an export, beside the labels or among them, by a usual name or its own."""
    write(export / place, "names: [bare, masked]\n")
    write(export / "train/labels/other.yaml", "[not settings")
    assert labels_of(export) == [("bare",), ("masked",)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize(
    "place", ["obj.names", "train/Classes.txt", "train/labels/_darknet.labels"]
)
def test_names_in_lists(export: Path, place: str, encoding: str) -> None:
    """A class a line, at the root, too, as any editor saves it."""
    write(export / place, "démasqué\r\nmasqué\r\n".encode(encoding))
    assert labels_of(export) == [("démasqué",), ("masqué",)]


def test_settings_of_somebody_else(export: Path) -> None:
    """What lies above the data set is not looked at."""
    write(export.parent / "data.yaml", "names: [cat, dog]\n")
    assert labels_of(export) == [("0",), ("1",)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("names: [bare, masked\n", "is not YAML"),
        ("names:\n\t- bare\n", "is not YAML"),
        ("names: {bare: 0}\n", "'names' is neither a list of names nor numbers"),
        ("names: bare\n", "'names' is neither"),
        ("names: [[0, bare]]\n", "'names' is neither"),
        ("names: " + "[" * 700, "is not YAML"),
        ("names: [\x00]", "is not YAML"),
    ],
)
def test_names_that_cannot_be_understood(export: Path, text: str, words: str) -> None:
    """Names that are there but unreadable are refused in a line, not passed over."""
    write(export / "data.yaml", text)
    with pytest.raises(DatasetError, match=f"data.yaml: .*{words}") as caught:
        labels_of(export)
    assert "\n" not in str(caught.value)


def test_an_export_as_a_whole(export: Path) -> None:
    """Pictures of one name in several parts are told apart by their folders."""
    for number, name in enumerate("ab"):
        write(export / f"valid/images/{name}.jpg", b"")
        write(export / f"valid/labels/{name}.txt", f"{1 - number} {BOX}\n")
    write(export / "README.roboflow.txt", "Masks, 2 classes\n")
    write(export / "train/data.yaml", "names: [bare, masked]\n")
    found = read_annotations(export, export)
    assert found.problems == ()
    assert [(photo.path.parts[-3], *photo.labels) for photo in found.photographs] == [
        ("train", "bare"),
        ("train", "masked"),
        ("valid", "masked"),
        ("valid", "bare"),
    ]


FACE = ".40 .20 .47 .20 .44 .24 .41 .28 .46 .28"


@pytest.mark.parametrize(
    "row",
    [
        # The first three as in the case `yolo_rows`.
        f"1.000000000000000000e+00 {BOX}",
        f"1 {BOX} {FACE}",
        "1 .3555 .13875 .5293 .13875 .5293 .34185 .3555 .34185",
        f"1.0 {BOX} 0.93",
        f"1 {BOX} 0.93 17",
        f"1 {BOX} .40 .20 2 .47 .20 2 .44 .24 1 0 0 0 -1 -1 0",
        f"1 {BOX} .40 .20 -1 -1 .44 .24 -1 -1 -1 -1",
        f"1\t{BOX}  {FACE}\r",
        "1 .3555 .2 .44 .13875 .5293 .2 .5293 .3 .44 .34185 .3555 .3 .4 .31",
        "1 .3555 .2 .44 .13875 .5293 .2 .5 .34185",
    ],
    ids=[
        "decimals",
        "landmarks",
        "polygon",
        "confidence",
        "track",
        "visibility",
        "missing landmarks",
        "tabs",
        "seven corners",
        "turned box",
    ],
)
def test_lines_of_other_forms(export: Path, row: str) -> None:
    """Class numbers with decimals, landmarks, polygons and more still say where a face is."""
    write(export / "train/labels/b.txt", f"{row}\n")
    found = read_annotations(export / "train/images", export / "train/labels")
    assert found.problems == ()
    assert [photo.labels for photo in found.photographs] == [("0",), ("1",)]
    for photo in found.photographs:
        np.testing.assert_allclose(photo.boxes, [CORNERS], atol=1e-4)


def test_settings_say_that_points_follow(export: Path) -> None:
    """With ``kpt_shape`` nothing is guessed: a line of eight numbers is a box and two points."""
    write(export / "data.yaml", "kpt_shape: [2, 2]\nnames: [bare, masked]\n")
    for name in "ab":
        write(export / f"train/labels/{name}.txt", "0 .3 .3 .35 .3 .35 .35 .3 .35\n")
    found = read_annotations(export / "train/images", export / "train/labels")
    np.testing.assert_allclose(found.photographs[0].boxes, [[0.125, 0.15, 0.475, 0.45]], atol=1e-6)


@pytest.mark.parametrize("corners", [4, 5, 7, 20])
def test_polygons_and_landmarks_are_told_apart(corners: int) -> None:
    """Of sets drawn at random, large and small, everywhere in pictures, none is misread."""
    random = np.random.default_rng(corners)
    for _ in range(50):
        polygons, faces = [], []
        for _ in range(12):
            size = random.uniform(0.03, 0.5)
            centre = random.uniform(size / 2, 1 - size / 2, 2)
            angles = 2 * np.pi * (np.arange(corners) + random.uniform(0, 0.5, corners)) / corners
            rim = centre + size / 2 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
            polygons.append(" ".join(["0", *map(str, rim.ravel().round(5))]))
            points = [(-0.2, -0.1), (0.2, -0.1), (0, 0.05), (-0.15, 0.25), (0.15, 0.25)]
            inside = centre + size * np.array(points) * random.uniform(0.5, 1, 2)
            numbers = [*centre, size, size, *inside.ravel()]
            faces.append(" ".join(["0", *map(str, np.round(numbers, 5))]))
        assert are_polygons(parse_rows("\n".join(polygons)))
        assert not are_polygons(parse_rows("\n".join(faces)))


@pytest.mark.parametrize(
    "line", ["x y", "0 0.5 0.5 0.2", "0,5 0,5 0,5 0,2 0,2", "0.5 .5 .5 .2 .2", "0.jpg 5 5 5 5"]
)
def test_a_line_that_says_nothing_leaves_the_picture_out(export: Path, line: str) -> None:
    """A face may be there of which nobody knows: the picture is neither faceless nor complete."""
    write(export / "train/labels/b.txt", f"1 {BOX}\n{line}\n")
    found = read_annotations(export / "train/images", export / "train/labels")
    assert [photo.path.name for photo in found.photographs] == ["a.jpg"]
    (problem,) = found.problems
    assert problem.startswith("b.txt: line 2: expected 'class cx cy w h', got")
    assert problem.endswith("its picture is left out")


def test_boxes_in_pixels_leave_the_picture_out(export: Path) -> None:
    """Pixels instead of shares are told for what they are: not a picture without faces."""
    write(export / "train/labels/b.txt", "1 226 123 89 104\n")
    found = read_annotations(export / "train/images", export / "train/labels")
    assert [photo.path.name for photo in found.photographs] == ["a.jpg"]
    assert found.problems == (
        "b.txt: line 1 lies outside the picture: left out",
        "b.txt: nothing in it can be used: b.jpg left out",
    )


def test_a_set_of_which_nothing_can_be_used(export: Path) -> None:
    """Where all is in pixels, or in words, the command ends and says why."""
    for line in ("1 226 123 89 104", "masked 0.5 0.5 0.2 0.2"):
        for name in "ab":
            write(export / f"train/labels/{name}.txt", f"{line}\n")
        write(export / "train/labels/c.txt", f"1 {BOX}\n")
        with pytest.raises(DatasetError, match=r"none of the 3 annotations can be used: b\.txt: "):
            read_annotations(export / "train/images", export / "train/labels")


def test_an_empty_label_file_is_a_picture_without_faces(export: Path) -> None:
    """That is how the format says so."""
    write(export / "train/labels/b.txt", "\r\n")
    found = read_annotations(export / "train/images", export / "train/labels")
    assert [len(photo.boxes) for photo in found.photographs] == [1, 0]


def test_command_says_it_in_a_line(export: Path, maskdet: Cli) -> None:
    """Settings that cannot be read end the command as a user's mistake."""
    write(export / "data.yaml", "names: [bare\n")
    images, labels = export / "train/images", export / "train/labels"
    done = maskdet("dataset", "import", images, "--annotations", labels, "--output", "out")
    assert_user_error(done, "data.yaml: is not YAML")
