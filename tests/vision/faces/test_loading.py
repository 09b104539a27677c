"""The face detectors: the bundled one on a real picture, and every way a folder can be wrong."""

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from command_line import SAMPLES
from maskdet.assets import bundled, sha256
from maskdet.boxes import intersection_over_union
from maskdet.errors import ModelError
from maskdet.vision.faces.loading import (
    CARD_NAME,
    face_detector_folder,
    input_sizes,
    load_face_detector,
)
from maskdet.vision.faces.sizes import AutoSizedFaceDetector, load_sized_face_detector

# Read off the portrait by eye: brow to chin, ear to ear; 512 x 512 pixels.
ASTRONAUT_FACE = np.array([[180, 68, 268, 177]], np.float32)


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    """A portrait with one face."""
    picture = cv2.imread(str(SAMPLES / "astronaut.jpg"))
    assert picture is not None
    return picture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of a bundled detector that a test may damage."""
    return Path(shutil.copytree(face_detector_folder("original"), tmp_path / "face"))


def edit_card(folder: Path, **entries: Any) -> None:
    """Overwrites entries of a folder's card."""
    path = folder / CARD_NAME
    card = json.loads(path.read_text(encoding="utf-8")) | entries
    path.write_text(json.dumps(card), encoding="utf-8")


@pytest.mark.parametrize("name", [None, "original"])
@pytest.mark.parametrize("precision", ["int8", "float16"])
@pytest.mark.parametrize("face_size", [300, 301, 416, 600])
def test_the_face_in_a_portrait_is_found(
    astronaut: np.ndarray, name: str | None, precision: str, face_size: int
) -> None:
    """Both files of both bundled detectors find it at any input size, sure and in place."""
    detector = load_face_detector(
        face_detector_folder(name), precision=precision, face_size=face_size, threads=2
    )
    xyxy, scores = detector.detect(astronaut)
    assert scores[0] > 0.9
    assert xyxy.dtype == scores.dtype == np.float32
    assert intersection_over_union(xyxy[:1], ASTRONAUT_FACE)[0, 0] > 0.7


def test_sizes_are_taken_to_the_nearest_the_network_can_do() -> None:
    """Its maps have to halve and double evenly: 300, 450 and 600 become multiples of 32."""
    sizes = [
        getattr(load_face_detector(bundled("face_detector"), face_size=size), "size", None)
        for size in (300, 450, 600)
    ]
    assert sizes == [288, 448, 608]


def test_the_bundled_detector_chooses_its_size_and_the_public_one_does_not(
    astronaut: np.ndarray,
) -> None:
    """The card offers sizes; asked for one, it is taken."""
    chosen = load_sized_face_detector(bundled("face_detector"))
    assert isinstance(chosen, AutoSizedFaceDetector)
    fixed = load_sized_face_detector(bundled("face_detector"), face_size=448)
    np.testing.assert_array_equal(chosen.detect(astronaut)[0], fixed.detect(astronaut)[0])
    assert input_sizes(face_detector_folder("original")) == ()
    original = load_sized_face_detector(face_detector_folder("original"))
    assert not isinstance(original, AutoSizedFaceDetector)


def test_the_bundled_detector_is_quiet_where_there_is_no_face() -> None:
    """Food, noise and text at its own confidence: no face."""
    detector = load_sized_face_detector(bundled("face_detector"))
    page = np.full((480, 640, 3), 245, np.uint8)
    for line in range(1, 12):
        cv2.putText(page, "ABC abc 0123", (5, 40 * line), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 0, 2)
    noise = np.random.default_rng(1).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    for picture in (page, noise, cv2.imread(str(SAMPLES / "coffee.jpg"))):
        assert len(detector.detect(picture)[1]) == 0


def test_int8_agrees_with_float16(astronaut: np.ndarray) -> None:
    """On a clear face, quantisation moves the box by a few pixels at most."""
    found = [
        load_face_detector(bundled("face_detector"), precision=precision).detect(astronaut)
        for precision in ("int8", "float16")
    ]
    np.testing.assert_allclose(found[0][0], found[1][0], atol=4)
    np.testing.assert_allclose(found[0][1], found[1][1], atol=0.02)


def test_boxes_are_in_the_frames_own_pixels(astronaut: np.ndarray) -> None:
    """A picture twice as wide has its face twice as wide, though the network sees the same."""
    detector = load_face_detector(bundled("face_detector"))
    xyxy, _ = detector.detect(astronaut)
    wide, _ = detector.detect(cv2.resize(astronaut, (1024, 512)))
    np.testing.assert_allclose(wide, xyxy * [2, 1, 2, 1], atol=8)


def test_a_lower_confidence_gives_more_boxes_best_first(astronaut: np.ndarray) -> None:
    """Everything from the confidence on comes back, sorted, inside the frame and not empty.

    Boxes are the same whatever the confidence, also where weaker ones have a say in them.
    """
    detector = load_face_detector(bundled("face_detector"), confidence=0.0)
    xyxy, scores = detector.detect(astronaut)
    assert len(scores) > 20
    assert np.all(np.diff(scores) <= 0)
    assert xyxy.min() >= 0
    assert xyxy.max() <= 512
    assert np.all(xyxy[:, 2:] > xyxy[:, :2])
    sure, sure_scores = load_face_detector(bundled("face_detector"), confidence=0.9).detect(
        astronaut
    )
    np.testing.assert_allclose(sure, xyxy[:1], rtol=1e-5)
    assert sure_scores.min() >= 0.9


def test_boxes_are_voted_on_where_the_card_says_so(astronaut: np.ndarray, tmp_path: Path) -> None:
    """Without the entry, as in the cards of before, the best box of a face is its box."""
    folder = tmp_path / "face_detector"
    shutil.copytree(bundled("face_detector"), folder, ignore=shutil.ignore_patterns("original"))
    path = folder / "ssd_faces.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    assert card.pop("box_voting") is True
    voted, scores = load_face_detector(folder).detect(astronaut)
    path.write_text(json.dumps(card), encoding="utf-8")
    best, same_scores = load_face_detector(folder).detect(astronaut)
    np.testing.assert_array_equal(scores, same_scores)
    assert 0.1 < np.abs(voted - best).max() < 10


@pytest.mark.parametrize("shape", [(480, 640, 3), (1, 1, 3), (3, 900, 3)])
def test_a_frame_without_faces(shape: tuple[int, ...]) -> None:
    """Empty arrays of the right shape, whatever the frame's size."""
    xyxy, scores = load_face_detector(bundled("face_detector")).detect(np.zeros(shape, np.uint8))
    assert xyxy.shape == (0, 4)
    assert scores.shape == (0,)


def test_the_frame_is_left_as_it_was(astronaut: np.ndarray) -> None:
    """Detection does not draw on, or otherwise change, what it is given."""
    before = astronaut.copy()
    load_face_detector(bundled("face_detector")).detect(astronaut)
    np.testing.assert_array_equal(astronaut, before)


def test_an_empty_folder_says_what_was_expected(tmp_path: Path) -> None:
    """The message names the files that a face detector folder holds."""
    with pytest.raises(ModelError, match=r"expected one card, .*\.caffemodel"):
        load_face_detector(tmp_path)
    with pytest.raises(ModelError, match="holds no face detector"):
        load_face_detector(tmp_path / "missing")


def test_a_missing_network_is_named(folder: Path) -> None:
    """The card is there, its file is not."""
    (folder / "ssd_res10.tflite").unlink()
    with pytest.raises(ModelError, match=r"ssd_res10\.tflite: no such file"):
        load_face_detector(folder)


def test_a_truncated_network_is_refused(folder: Path) -> None:
    """The sha256 in the card no longer fits."""
    path = folder / "ssd_res10.tflite"
    path.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(ModelError, match="does not match"):
        load_face_detector(folder)


def test_a_file_that_is_no_network_is_refused(folder: Path) -> None:
    """Even if its card vouches for it."""
    path = folder / "ssd_res10.tflite"
    path.write_bytes(b"not a network")
    edit_card(folder, files={"int8": {"name": path.name, "sha256": sha256(path)}})
    with pytest.raises(ModelError, match="not a model LiteRT can run"):
        load_face_detector(folder)


def test_an_unknown_precision_is_refused(folder: Path) -> None:
    """The card names no such file."""
    with pytest.raises(ModelError, match="names no 'int4' file"):
        load_face_detector(folder, precision="int4")


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"kind": "classifier"}, "kind is 'classifier', expected 'ssd_face_detector'"),
        ({"format": 99}, "format is 99, expected 1"),
        ({"prior_boxes": {}}, r"has no prior_boxes\.steps"),
        ({"default_confidence": "high"}, "default_confidence is 'high', expected a number"),
        ({"input": None}, "input is null, expected an object"),
    ],
)
def test_a_card_of_another_kind_is_refused(
    folder: Path, entries: dict[str, Any], message: str
) -> None:
    """A card that does not describe this network gives one line, not a traceback."""
    edit_card(folder, **entries)
    with pytest.raises(ModelError, match=message):
        load_face_detector(folder)


@pytest.mark.parametrize(
    ("steps", "message"), [((8, 16), "2 pairs of head maps"), ((8,) * 6, "another network")]
)
def test_a_card_with_other_prior_boxes_is_refused(
    folder: Path, steps: tuple[int, ...], message: str
) -> None:
    """The layout has to account for the network's maps and for every number in them."""
    count = len(steps)
    priors = {
        "steps": steps,
        "sizes": [(30, 60)] * count,
        "aspect_ratios": [(2,)] * count,
        "variances": (0.1, 0.1, 0.2, 0.2),
        "offset": 0.5,
    }
    edit_card(folder, prior_boxes=priors)
    with pytest.raises(ModelError, match=message):
        load_face_detector(folder)


@pytest.fixture
def caffe_folder(tmp_path: Path) -> Path:
    """A folder with only a Caffe pair."""
    (tmp_path / "deploy.prototxt").write_text('name: "net"\n', encoding="utf-8")
    (tmp_path / "weights.caffemodel").write_bytes(b"\xff" * 20)
    return tmp_path


@pytest.mark.skipif(hasattr(cv2.dnn, "readNetFromCaffe"), reason="this OpenCV reads Caffe models")
def test_a_caffe_pair_under_opencv_5_says_how_to_convert_it(caffe_folder: Path) -> None:
    """One line with the command."""
    with pytest.raises(ModelError, match=r"no longer reads Caffe .*build_assets\.py --caffe"):
        load_face_detector(caffe_folder)


@pytest.mark.skipif(not hasattr(cv2.dnn, "readNetFromCaffe"), reason="needs OpenCV 4")
def test_a_damaged_caffe_pair_is_refused(caffe_folder: Path) -> None:
    """OpenCV's own exception becomes one line."""
    with pytest.raises(ModelError, match="not a Caffe model"):
        load_face_detector(caffe_folder)
