"""What was found: looped over, drawn, tabled, shown in a notebook."""

import copy
import importlib.util
import io
import pickle
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import maskdet as package
from command_line import SAMPLES
from maskdet.api.results import Faces
from maskdet.detections import Detections
from maskdet.media.frames import Frame
from maskdet.media.records import CSV_COLUMNS
from maskdet.vision.networks import NetworkOptions, load_detector


@pytest.fixture(scope="module")
def pair() -> NDArray[np.uint8]:
    """A (512, 1024, 3) picture of a bare and a masked face, BGR."""
    names = ("astronaut.jpg", "astronaut_masked.jpg")
    return np.hstack([np.asarray(cv2.imread(str(SAMPLES / name)), np.uint8) for name in names])


@pytest.fixture(scope="module")
def faces(pair: NDArray[np.uint8]) -> package.Faces:
    """What the bundled models find in it."""
    return package.load()(pair)


def test_faces_are_a_sequence(faces: package.Faces) -> None:
    """Length, index, slice, loop and text are those of any sequence."""
    assert len(faces) == 2
    assert str(faces) == "2 faces: 1 Mask, 1 No Mask"
    assert repr(faces) == "<Faces of array: 2 faces: 1 Mask, 1 No Mask>"
    assert [face.label for face in faces] == faces.labels
    assert faces[-1] == faces[1] == faces[1:][0]
    with pytest.raises(IndexError):
        faces[2]
    with pytest.raises(TypeError):
        faces["first"]  # type: ignore[call-overload]


def test_a_face_says_what_is_known_of_it(faces: package.Faces, pair: NDArray[np.uint8]) -> None:
    """Label, confidence, box, probabilities and crop agree with one another and with the record."""
    for face, record in zip(faces, faces.to_records(), strict=True):
        left, top, right, bottom = face.box
        assert record["label"] == face.label
        assert record["box"] == [round(side, 2) for side in face.box]
        assert face.probabilities[face.label] == face.confidence
        assert sum(face.probabilities.values()) == pytest.approx(1)
        height, width = face.crop.shape[:2]
        # With the margin around it that the classifier sees.
        assert width > right - left
        assert height > bottom - top
        face.crop[:] = 0
        assert face.crop.any()
        assert face.track is None
    np.testing.assert_array_equal(faces.image, pair)


def test_a_picture_can_be_saved_and_gone_on_with(faces: package.Faces, tmp_path: Path) -> None:
    """Folders are made, a file of the name is replaced, and a format that is none is told."""
    picture = faces.annotate()
    place = tmp_path / "new" / "out.png"
    for _ in range(2):
        assert picture.save(str(place)) == place
    np.testing.assert_array_equal(cv2.imread(str(place)), picture.bgr)
    np.testing.assert_array_equal(np.asarray(picture.to_pil())[..., ::-1], picture.bgr)
    with pytest.raises(package.OutputError, match="no picture format"):
        picture.save(tmp_path / "out.txt")
    with pytest.raises(TypeError, match="path: expected a path, got int"):
        picture.save(3)  # type: ignore[arg-type]
    assert list(tmp_path.rglob("*.txt")) == []


def test_drawing_leaves_the_picture_alone(faces: package.Faces, pair: NDArray[np.uint8]) -> None:
    """Boxes and heat maps are drawn on copies, and differ from the picture."""
    before = pair.copy()
    annotated, mapped = faces.annotate().bgr, faces.heatmap().bgr
    np.testing.assert_array_equal(pair, before)
    assert (annotated != pair).any()
    assert mapped.shape[1] > pair.shape[1]


def test_blurring_hides_what_is_there(faces: package.Faces, pair: NDArray[np.uint8]) -> None:
    """Each face, and what may be one, loses its detail in the copy; the command blurs the same."""
    detector = package.load()
    for picture in np.hsplit(pair, 2):
        before = picture.copy()
        found = detector(picture)
        blurred, clear = found.annotate(blur=True).bgr, found.annotate().bgr
        np.testing.assert_array_equal(picture, before)
        left, top, right, bottom = found.boxes.round().astype(int)[0]
        # Below the caption and inside the outline.
        part = slice(top + 8, bottom - 4), slice(left + 4, right - 4)
        detail = [cv2.Laplacian(one[part], cv2.CV_64F).var() for one in (blurred, clear)]
        assert detail[0] < detail[1] / 20
        # Nobody near the lower edge: a suit is no face.
        np.testing.assert_array_equal(blurred[-100:], clear[-100:])
    with pytest.raises(TypeError, match="blur: expected True or False"):
        faces.annotate(blur="yes")  # type: ignore[arg-type]


def test_doubtful_faces_are_blurred_too(pair: NDArray[np.uint8]) -> None:
    """What is left out as too doubtful, or too small, has no box and no clear face either."""
    for options in ({"confidence": 1.0}, {"min_face": 400}):
        found = package.load(**options)(pair)
        assert not found
        assert (found.annotate(blur=True).bgr != pair).any()


def test_faces_survive_pickling(faces: package.Faces) -> None:
    """Numbers, pictures and drawings do; what needs the networks says why it is gone."""
    again = pickle.loads(pickle.dumps(faces))
    assert again.to_dict() == faces.to_dict()
    assert list(again) == list(faces)
    np.testing.assert_array_equal(again.annotate().bgr, faces.annotate().bgr)
    face = pickle.loads(pickle.dumps(faces[0]))
    np.testing.assert_array_equal(face.crop, faces[0].crop)
    for gone in (again.heatmap, lambda: again.annotate(blur=True)):
        with pytest.raises(ValueError, match="have been pickled and have no detector"):
            gone()
    # The original keeps its own.
    assert faces.heatmap().bgr.size


def test_a_detector_cannot_be_pickled() -> None:
    """It says what to do instead, as who gives work to other processes will want to know."""
    detector = package.load()
    for copying in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match=r"cannot be pickled, nor copied.*maskdet\.load\(\)"):
            copying(detector)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"view": "hat"}, ValueError, "view: expected one of predicted, difference, with_mask"),
        ({"method": "saliency"}, ValueError, "method: expected one of cam, gradcam"),
        ({"colormap": "rainbow"}, ValueError, "colormap: expected one of"),
        ({"layout": "wide"}, ValueError, "layout: expected one of panels, classic"),
        ({"alpha": 2}, ValueError, "alpha: expected 0 to 1, got 2"),
        ({"resolution": 100}, ValueError, "resolution: expected a multiple of 32"),
        ({"size": "large"}, TypeError, "size: expected a whole number"),
        ({"smooth": "no"}, TypeError, "smooth: expected True or False"),
    ],
)
def test_bad_looks_are_refused(
    faces: package.Faces, arguments: dict[str, Any], error: type[Exception], words: str
) -> None:
    """A wrong argument is told by its name: what was expected, and what came."""
    with pytest.raises(error, match=words):
        faces.heatmap(**arguments)


def test_a_notebook_shows_picture_and_table(pair: NDArray[np.uint8]) -> None:
    """Pictures are scaled down to what a notebook shows; names from outside are escaped."""
    detections = load_detector(NetworkOptions())(pair)
    frame = Frame("<b>.jpg", 0, 0.0, pair)
    faces = Faces(frame, detections, margin=0.1, afterwards=None)
    html = faces._repr_html_()
    assert "<b>" not in html
    assert html.count("<tr>") == 3
    with Image.open(io.BytesIO(faces._repr_png_())) as shown:
        assert shown.size == (960, 480)
    with Image.open(io.BytesIO(faces[0]._repr_png_())) as shown:
        assert shown.format == "PNG"


def test_a_picture_without_faces_is_no_special_case() -> None:
    """An empty result is false, says so, and can be drawn, explained and tabled."""
    faces = package.load()(np.zeros((64, 64, 3), np.uint8))
    assert not faces
    assert str(faces) == "no faces"
    assert faces.to_records() == []
    assert faces.heatmap().bgr.shape[0] >= 64
    assert faces.annotate().bgr.shape == (64, 64, 3)
    assert "<table>" not in faces._repr_html_()


@pytest.mark.parametrize("library", ["pandas", "supervision"])
def test_a_missing_library_is_named(
    faces: package.Faces, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has to be installed for a table is said in one line."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.delitem(sys.modules, library, raising=False)
    with pytest.raises(package.MissingExtraError, match=f"needs {library}: pip install {library}"):
        getattr(faces, f"to_{library}")()


def test_faces_become_a_pandas_table(faces: package.Faces) -> None:
    """A row a face, the columns of the CSV records; no faces is a table of no rows."""
    pandas = pytest.importorskip("pandas")
    table = faces.to_pandas()
    assert tuple(table.columns) == CSV_COLUMNS
    assert table["label"].tolist() == faces.labels
    assert table["track"].isna().all()
    empty = Faces(
        Frame("none", 0, 0.0, faces.image), Detections.empty(("a", "b")), margin=0,
        afterwards=None,
    )  # fmt: skip
    assert empty.to_pandas().shape == (0, len(CSV_COLUMNS))
    both = pandas.concat([empty.to_pandas(), table])
    # Numbers stay numbers beside a picture without faces.
    numbers = ["frame", "time", "left", "confidence"]
    assert (both.dtypes[numbers] == table.dtypes[numbers]).all()


def test_faces_become_supervision_detections(faces: package.Faces) -> None:
    """Boxes, confidences and classes are the same there."""
    pytest.importorskip("supervision")
    found = faces.to_supervision()
    np.testing.assert_array_equal(found.xyxy, faces.boxes)
    assert found.data["class_name"].tolist() == faces.labels
