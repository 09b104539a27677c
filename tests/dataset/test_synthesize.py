"""`maskdet dataset synthesize`: the head, the masks, the pictures and their groups."""

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from command_line import Cli, assert_user_error
from maskdet.class_folders.listing import list_pictures
from maskdet.dataset.fabric import KINDS, PLACES, canvas_grid, draw_fabric, picture_fabric
from maskdet.dataset.head import LANDMARKS, fit_pose, landmarks_from_box, normals, surface
from maskdet.dataset.render import put_on
from maskdet.dataset.synthesize import SynthesizeOptions, synthesize
from maskdet.errors import DatasetError, SourceError
from train_pictures import flat_png

# Of samples/astronaut.jpg, as YuNet finds them.
EYES_NOSE_MOUTH = np.array(
    [[200.0, 112.0], [253.0, 112.0], [227.0, 145.0], [208.0, 168.0], [249.0, 168.0]], np.float32
)


def silent(_: float, __: str) -> None:
    """Shows nothing."""


def turned(yaw: float, scale: float = 2.0) -> np.ndarray:
    """Returns the model's landmarks as seen when its head is turned, (5, 2) pixels."""
    angle = np.deg2rad(yaw)
    rotation = np.array([[np.cos(angle), 0, -np.sin(angle)], [0, 1, 0]])
    return (scale * LANDMARKS @ rotation.T + [300, 200]).astype(np.float32)


@pytest.mark.parametrize("yaw", [-40, 0, 25])
def test_pose_of_a_turned_head(yaw: float) -> None:
    """The model's own landmarks give back its turn, its size and no error."""
    pose = fit_pose(turned(yaw))
    assert abs(pose.yaw) == pytest.approx(abs(yaw), abs=1)
    assert pose.pixels_per_mm == pytest.approx(2, rel=0.02)
    assert pose.error < 0.01
    np.testing.assert_allclose(pose.project(LANDMARKS), turned(yaw), atol=0.5)


def test_surface_faces_outward() -> None:
    """In the middle it looks at the camera, at the sides away from it; the nose stands out."""
    angle, y = np.meshgrid(np.linspace(-1.4, 1.4, 15), np.linspace(20, 120, 11))
    found = normals(surface(angle, y, over_nose=False))
    assert found[4, 7, 2] > 0.9
    assert found[4, 0, 0] < -0.8
    assert found[4, -1, 0] > 0.8
    tip = [surface(0.0, 39.0, over_nose=over)[2] for over in (True, False)]
    assert tip[0] > tip[1] + 10


@pytest.mark.parametrize("kind", KINDS)
def test_masks_cover_what_they_should(kind: str) -> None:
    """Worn right it covers nose and mouth; under the nose only the mouth; on the chin neither."""
    angle, y = canvas_grid()
    middle = np.abs(angle) < 0.1

    def covered(place: str, low: float, high: float) -> float:
        fabric = draw_fabric(kind, place, np.random.default_rng(1))
        return float(fabric.alpha[middle & (y >= low) & (y <= high)].mean())

    assert covered("worn", 30, 80) == 1
    assert covered("under_nose", 68, 80) == 1
    assert covered("under_nose", 30, 42) == 0
    assert covered("on_chin", 60, 76) == 0
    assert covered("on_chin", 105, 115) == 1


def test_a_mask_on_a_photograph(samples: Path) -> None:
    """The lower face changes, eyes and corners do not; the input stays as it was."""
    picture = cv2.imread(str(samples / "astronaut.jpg"))
    before = picture.copy()
    blue = draw_fabric("surgical", "worn", np.random.default_rng(0))
    masked = put_on(picture, fit_pose(EYES_NOSE_MOUTH), blue)
    np.testing.assert_array_equal(picture, before)
    change = np.abs(masked.astype(int) - before).mean(axis=2)
    assert change[135:185, 205:250].mean() > 20
    assert change[80:112, 195:260].mean() < 3
    assert change[:40].max() == 0
    assert change[300:].max() == 0


@pytest.mark.parametrize(
    ("place", "covered", "bare"),
    [
        ("over_eyes", [(108, 200, 253)], [(168, 215, 240)]),
        ("on_forehead", [(75, 205, 250)], [(120, 205, 250), (168, 215, 240)]),
        ("on_ear", [], [(112, 205, 250), (168, 215, 240)]),
    ],
)
def test_masks_off_the_lower_face(
    place: str, covered: list[tuple[int, int, int]], bare: list[tuple[int, int, int]], samples: Path
) -> None:
    """Over the eyes it hides them, on the forehead or at an ear neither them nor the mouth."""
    picture = cv2.imread(str(samples / "astronaut.jpg"))
    white = draw_fabric("surgical", place, np.random.default_rng(0))
    white = replace(white, colour=np.ones_like(white.colour), lift=round(white.lift))
    masked = put_on(picture, fit_pose(EYES_NOSE_MOUTH), white)
    change = np.abs(masked.astype(int) - picture).mean(axis=2)
    for row, left, right in covered:
        assert change[row, left:right].mean() > 20
    for row, left, right in bare:
        assert change[row, left:right].mean() < 4
    assert change.max() > 60


@pytest.mark.parametrize("yaw", [-60, -20, 0, 35, 60])
def test_a_mask_at_an_ear_is_seen_however_the_head_is_turned(yaw: float) -> None:
    """It hangs from the ear that is nearer, straight down, and is never seen edge on."""
    picture = np.full((400, 600, 3), 120, np.uint8)
    for seed in range(3):
        fabric = draw_fabric("surgical", "on_ear", np.random.default_rng(seed))
        fabric = replace(fabric, colour=np.ones_like(fabric.colour))
        pose = fit_pose(turned(yaw, scale=1.0))
        change = np.abs(put_on(picture, pose, fabric).astype(int) - picture).mean(axis=2) > 25
        rows, columns = np.flatnonzero(change.any(axis=1)), np.flatnonzero(change.any(axis=0))
        assert change.sum() > 1500
        assert rows.min() > 200
        assert len(rows) > len(columns)


def test_a_mask_darkens_in_the_dark(samples: Path) -> None:
    """The same white mask is dark in a dark photograph."""
    picture = cv2.imread(str(samples / "astronaut.jpg"))
    white = picture_fabric(np.ones((40, 60, 4), np.float32), "worn")
    levels = [
        put_on(image, fit_pose(EYES_NOSE_MOUTH), white)[140:180, 210:245].mean()
        for image in (picture, picture // 3)
    ]
    assert levels[0] > 180
    assert levels[1] < 0.55 * levels[0]


def test_black_is_that_of_the_photograph(samples: Path) -> None:
    """On a washed-out picture a black mask is grey, on a clear one black."""
    picture = cv2.imread(str(samples / "astronaut.jpg"))
    washed = cv2.convertScaleAbs(picture, alpha=0.5, beta=127)
    pose = fit_pose(landmarks_from_box(np.array([170, 60, 290, 210], np.float32)))
    mask = draw_fabric("surgical", "worn", np.random.default_rng(0))
    black = replace(mask, colour=np.full_like(mask.colour, 0.05))
    levels = []
    for photograph in (picture, washed):
        masked = put_on(photograph, pose, black)
        covered = np.abs(masked.astype(int) - photograph).sum(axis=2) > 60
        levels.append(np.median(masked[covered]))
    assert levels[0] < 40
    assert levels[1] > 120


def test_faces_cut_off_and_tiny(samples: Path) -> None:
    """A face half outside the picture, and one of a few pixels, are no error."""
    picture = cv2.imread(str(samples / "astronaut.jpg"))
    mask = draw_fabric("kn95", "worn", np.random.default_rng(0))
    for box in (
        [-60, -40, 60, 110],
        [440, 420, 560, 570],
        [100, 100, 104, 105],
        [900, 900, 950, 960],
    ):
        points = landmarks_from_box(np.array(box, np.float32))
        assert put_on(picture, fit_pose(points), mask).shape == picture.shape


@pytest.fixture
def faces(tmp_path: Path, samples: Path) -> Path:
    """A folder: a face twice, a picture without one, a file that is no picture."""
    folder = tmp_path / "faces"
    (folder / "more").mkdir(parents=True)
    picture = cv2.imread(str(samples / "astronaut.jpg"))[:300, 80:380]
    cv2.imwrite(str(folder / "a.jpg"), picture)
    cv2.imwrite(str(folder / "more" / "b.png"), cv2.resize(picture, (250, 250)))
    cv2.imwrite(str(folder / "wall.jpg"), np.full((200, 300, 3), 90, np.uint8))
    (folder / "broken.jpg").write_bytes(b"x")
    return folder


def test_command_without_landmarks(faces: Path, tmp_path: Path, maskdet: Cli) -> None:
    """Without YuNet the quality note is given; a face and all made from it are one group."""
    # Nothing in the cache, and no way to a server.
    offline = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "https_proxy": "http://127.0.0.1:9"}
    done = maskdet("dataset", "synthesize", faces, "--output", "out", "--incorrect", **offline)
    assert done.returncode == 0, done.stderr
    assert "lower quality: landmarks guessed" in done.stderr
    assert "wall.jpg: no face found" in done.stderr
    assert "wrote mask_worn_incorrectly 2, with_mask 2, without_mask 2" in done.stdout
    assert "wall.jpg: no face found" in (tmp_path / "out" / "problems.txt").read_text()
    pictures = list_pictures(tmp_path / "out")
    # All saved alike: how a picture is packed must not tell its class.
    assert {picture.path.suffix for picture in pictures} == {".jpg"}
    assert {picture.label for picture in pictures} == {
        "mask_worn_incorrectly",
        "with_mask",
        "without_mask",
    }
    # The two are copies of one another, so all six belong together.
    assert len({picture.group for picture in pictures}) == 1
    assert all(picture.box for picture in pictures)
    with (tmp_path / "out" / "faces.csv").open() as stream:
        notes = {row["file"].split("/")[0]: row["note"] for row in csv.DictReader(stream)}
    assert "guessed" in notes["with_mask"]
    assert notes["mask_worn_incorrectly"].split(";")[0].split()[1] in PLACES[1:]
    assert_user_error(maskdet("dataset", "synthesize", faces, "--output", "out"), "not empty")


def test_faces_cut_out_tightly(samples: Path, tmp_path: Path, shared_data: Path) -> None:
    """A face that fills its picture is found; a chin that is cut off gets no mask of its own."""
    (tmp_path / "faces").mkdir()
    tight = cv2.imread(str(samples / "astronaut.jpg"))[87:166, 183:273]
    cv2.imwrite(str(tmp_path / "faces" / "tight.png"), tight)
    made = synthesize(
        SynthesizeOptions(
            tmp_path / "faces",
            tmp_path / "out",
            incorrect=True,
            per_face=6,
            landmarks=shared_data / "weights" / "face_detection_yunet_2023mar.onnx",
        ),
        show=silent,
    )
    assert made.counts == {"with_mask": 6, "without_mask": 1, "mask_worn_incorrectly": 6}
    with (tmp_path / "out" / "faces.csv").open() as stream:
        notes = [row["note"] for row in csv.DictReader(stream) if "incorrectly/" in row["file"]]
    assert {note.split()[1] for note in notes} <= {"under_nose", "over_eyes"}


def test_own_mask_and_landmarks(faces: Path, tmp_path: Path, shared_data: Path) -> None:
    """A cut-out picture of a mask is put on at YuNet's points."""
    red = np.zeros((60, 100, 4), np.uint8)
    red[10:50, 10:90] = (0, 0, 255, 255)
    cv2.imwrite(str(tmp_path / "mask.png"), red)
    yunet = shared_data / "weights" / "face_detection_yunet_2023mar.onnx"
    made = synthesize(
        SynthesizeOptions(faces, tmp_path / "out", mask=tmp_path / "mask.png", landmarks=yunet),
        show=silent,
    )
    assert (made.guessed, made.counts["with_mask"]) == ("", 2)
    (picture,) = (tmp_path / "out" / "with_mask").glob("a.jpg*")
    blue, green, redness = cv2.imread(str(picture))[140:175, 130:165].mean(axis=(0, 1))
    assert redness > 2 * max(blue, green)


def test_bad_input(faces: Path, tmp_path: Path) -> None:
    """No pictures, no faces, a mask without transparency: one line each, nothing written."""
    out = tmp_path / "out"
    (tmp_path / "none").mkdir()
    with pytest.raises(DatasetError, match="no pictures in it"):
        synthesize(SynthesizeOptions(tmp_path / "none", out), show=silent)
    cv2.imwrite(str(tmp_path / "opaque.png"), np.zeros((9, 9, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "clear.png"), np.zeros((9, 9, 4), np.uint8))
    for name, words in (
        ("opaque.png", "has no transparency"),
        ("clear.png", "transparent all over"),
        ("faces/broken.jpg", "is not a picture"),
        ("gone.png", "cannot be read"),
    ):
        with pytest.raises(SourceError, match=words):
            synthesize(SynthesizeOptions(faces, out, mask=tmp_path / name), show=silent)
    assert not out.exists()


def test_files_that_are_not_looked_at_are_told(tmp_path: Path, samples: Path) -> None:
    """What is not called a picture is named, and written down with the other problems."""
    (tmp_path / "faces").mkdir()
    shutil.copy(samples / "astronaut.jpg", tmp_path / "faces")
    (tmp_path / "faces" / "raw.cr2").write_bytes(b"x")
    made = synthesize(SynthesizeOptions(tmp_path / "faces", tmp_path / "out"), show=silent)
    assert made.skipped == ()
    assert "raw.cr2" in (tmp_path / "out" / "problems.txt").read_text()


def test_a_mask_beyond_the_decoder(tmp_path: Path, samples: Path) -> None:
    """A mask of more pixels than OpenCV takes is one line."""
    (tmp_path / "huge.png").write_bytes(flat_png(65536, 16385))
    (tmp_path / "faces").mkdir()
    shutil.copy(samples / "astronaut.jpg", tmp_path / "faces")
    options = SynthesizeOptions(tmp_path / "faces", tmp_path / "out", mask=tmp_path / "huge.png")
    with pytest.raises(SourceError, match=r"huge.png: cannot be decoded"):
        synthesize(options, show=silent)
