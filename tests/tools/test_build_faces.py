"""What the face detector is taught: whose boxes count, what is ignored, what is no face."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

import build_faces
import face_sets
from build_faces import SETS, made
from classifier_faces import IGNORE, kept_apart
from face_card import displacement, settle
from face_sets import CLASSES, FACE, NONE, OVERLOOKED, boxed, read_unlabelled, write_labels
from face_teacher import NO_BOXES, Taught, free_of, teach
from faceless_pictures import (
    AROUND,
    CUT_OUTS,
    PARTS,
    SIDES,
    free_windows,
    parts,
    toned,
    touches,
    windows_around,
)
from faceless_pictures import kept_apart as scenes_kept_apart
from maskdet.annotations import BoxedPhotograph, read_annotations
from maskdet.assets import bundled
from maskdet.boxes import expand_boxes
from maskdet.detections import FloatArray
from maskdet.vision.faces.loading import load_face_detector

PICTURE = np.full((100, 200, 3), 90, np.uint8)


def rows(*boxes: tuple[float, ...]) -> FloatArray:
    """Boxes as an array."""
    return np.array(boxes, np.float32).reshape(-1, 4)


class Seeing:
    """A teacher that sees the same in every picture."""

    def __init__(self, boxes: FloatArray, scores: list[float]) -> None:
        self.boxes, self.scores = boxes, np.array(scores, np.float32)

    def look(self, *_: object) -> tuple[FloatArray, FloatArray]:
        """What it sees."""
        return self.boxes, self.scores


def test_a_sure_face_is_taught_and_the_doubtful_one_beside_it_ignored() -> None:
    """Alone it is the face, for there is one. A very small one is never learnt."""
    faces = rows((0, 0, 40, 40), (60, 0, 100, 40), (110, 0, 118, 9))
    taught = teach(Seeing(faces, [0.9, 0.5, 0.8]), PICTURE)
    assert taught is not None
    assert np.array_equal(taught.faces, faces[:1])
    assert np.array_equal(taught.ignored, faces[1:])
    alone = teach(Seeing(faces[1:2], [0.5]), PICTURE)
    assert alone is not None
    assert np.array_equal(alone.faces, faces[1:2])
    assert teach(Seeing(faces[1:], [0.5, 0.8]), PICTURE) is None
    assert teach(Seeing(faces[2:], [0.8]), PICTURE) is None
    assert teach(Seeing(NO_BOXES, []), PICTURE) is None


def test_what_nobody_labelled_is_ignored_unless_it_was_seen_to_be_no_face() -> None:
    """Nor is a label learnt that somebody could not tell; a labelled face is taught once."""
    labelled = rows((0, 0, 40, 40), (150, 50, 190, 90))
    missed, knee, listed = rows((60, 0, 90, 30)), rows((100, 60, 130, 90)), rows((5, 60, 25, 80))
    photograph = BoxedPhotograph(Path("a.jpg"), labelled, ("a", "b"), None)
    teacher = Seeing(np.concatenate([labelled[:1] + 2, missed, knee]), [0.9, 0.8, 0.7])
    found = boxed(photograph, PICTURE, teacher, {IGNORE: listed, NONE: knee}, frozenset({1}))
    assert np.array_equal(found.faces, labelled[:1])
    assert np.array_equal(found.ignored, np.concatenate([labelled[1:], listed, missed]))


def test_free_of_is_about_overlap() -> None:
    """Without labels all are free; of those that touch one hardly, too."""
    boxes = rows((0, 0, 10, 10), (8, 0, 18, 10))
    assert np.array_equal(free_of(boxes, boxes[:1]), boxes[1:])
    assert np.array_equal(free_of(boxes, NO_BOXES), boxes)


def test_labels_are_read_as_they_were_written(tmp_path: Path) -> None:
    """Boxes in pixels come back, clipped to the picture, each under its class."""
    images, labels = tmp_path / "images", tmp_path / "labels"
    images.mkdir()
    labels.mkdir()
    cv2.imwrite(str(images / "a.png"), PICTURE)
    (labels / "classes.txt").write_text("\n".join(CLASSES))
    write_labels(labels, "a", Taught(rows((20, 10, 60, 50)), rows((180, -5, 220, 30))), (200, 100))
    (photograph,) = read_annotations(images, labels, "yolo").photographs
    assert photograph.labels == (FACE, OVERLOOKED)
    expected = rows((20, 10, 60, 50), (180, 0, 200, 30))
    assert photograph.xyxy(200, 100) == pytest.approx(expected, abs=0.01)


def test_cut_outs_keep_away_from_whatever_may_be_a_face() -> None:
    """With a margin, from the frame's edge and from one another, too; a small picture has none."""
    suspects, size = rows((200, 100, 280, 200), (600, 300, 640, 340)), (720, 480)
    random, count = np.random.default_rng(1), 0
    for _ in range(50):
        windows = free_windows(size, suspects, random)
        assert len(windows) <= CUT_OUTS
        for number, window in enumerate(windows):
            left, top, right, bottom = window
            assert 0 <= left < right <= size[0]
            assert 0 <= top < bottom <= size[1]
            assert SIDES[0] <= right - left == bottom - top <= SIDES[1]
            others = [one[np.newaxis].astype(np.float32) for one in windows[:number]]
            assert not touches(window, np.concatenate([expand_boxes(suspects, 0.5), *others]))
        count += len(windows)
    assert count > 60
    assert not free_windows((SIDES[0], 300), NO_BOXES, random)
    assert not free_windows(size, rows((0, 0, *size)), random)


def test_what_is_known_to_be_no_face_is_cut_out_at_several_sizes() -> None:
    """As far as the picture reaches, and without a face."""
    knee = rows((100, 100, 120, 140))
    windows = list(windows_around(knee, (400, 400), NO_BOXES))
    assert [one[2] - one[0] for one in windows] == [round(40 * factor) for factor in AROUND]
    assert all(touches(one, knee) for one in windows)
    near = list(windows_around(knee, (150, 400), rows((100, 190, 130, 220))))
    assert [one.tolist() for one in near] == [[84, 94, 136, 146], [60, 70, 150, 170]]


def test_toned_scenes_have_colours_and_keep_their_lightness() -> None:
    """What was lighter stays lighter; the scene comes whole and in parts."""
    scene = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), 3, axis=2)
    picture = toned(scene, np.random.default_rng(3)).reshape(256, 3).astype(int)
    assert np.all(np.diff(picture, axis=0) >= 0)
    assert np.ptp(picture, axis=1).max() > 20
    first, *others = parts(scene, np.random.default_rng(4))
    assert first.shape == scene.shape
    assert len(others) == PARTS - 1
    assert all(part.size < scene.size for part in others)


def test_near_duplicates_of_scenes_are_kept_apart_together(tmp_path: Path) -> None:
    """About one in ten measures, and its brighter copy with it."""
    random = np.random.default_rng(8)
    for number in range(60):
        grain = random.integers(0, 200, (9, 9), dtype=np.uint8)
        scene = cv2.resize(grain, (90, 90), interpolation=cv2.INTER_CUBIC)
        for name, picture in (("a", scene), ("b", scene // 2 + 20)):
            cv2.imwrite(str(tmp_path / f"{name}{number:02d}.png"), picture)
    paths = sorted(tmp_path.iterdir())
    apart = scenes_kept_apart(paths)
    assert 2 <= len(apart) <= 24
    assert {name.replace("a", "b") for name in apart} == {
        n.replace("a", "b") for n in apart if "b" in n
    }
    assert scenes_kept_apart(paths) == apart


def test_the_list_of_unlabelled_boxes() -> None:
    """It says of each whether it shows a face, and has no photograph that only measures."""
    found = read_unlabelled()
    boxes = [boxes for kinds in found.values() for boxes in kinds.values()]
    assert sum(map(len, boxes)) > 100
    assert all((some[:, 2:] > some[:, :2]).all() for some in boxes)
    assert not {Path(name).stem for name in found} & kept_apart()


def test_a_list_with_another_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slip in the file is named, not passed over."""
    file = tmp_path / "boxes.csv"
    file.write_text("photograph,shows,left,top,right,bottom\na.jpg,knee,1,2,3,4\n")
    monkeypatch.setattr(face_sets, "UNLABELLED", file)
    with pytest.raises(ValueError, match=r"a\.jpg: shows 'knee'"):
        read_unlabelled()


def test_a_set_half_made_is_made_anew(tmp_path: Path) -> None:
    """Until it is whole nothing has its name."""

    def interrupted() -> None:
        with made(tmp_path / "set") as target:
            (target / "old").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not (tmp_path / "set").exists()
    with made(tmp_path / "set") as target:
        (target / "new").touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["set", "new"]


@pytest.mark.training
def test_the_beginning_is_one_that_training_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its card is whole and its weights are of the network that is trained."""
    from maskdet.train.faces import weights
    from maskdet.train.faces.networks import yunet
    from maskdet.train.faces.networks.registry import LIGHT, network_of

    monkeypatch.setattr(yunet, "read_yunet", lambda _: {})
    monkeypatch.setattr(yunet, "load_yunet_weights", lambda *_: None)
    build_faces.write_start(tmp_path, tmp_path)
    assert network_of(weights.load_from(tmp_path)) is LIGHT


def test_called_again_it_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first call trains on all sets and leaves out what measures; the next resumes."""
    for name in (*SETS, "yunet", "held_out"):
        (tmp_path / name).mkdir()
    commands: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        commands.append(command[4:])
        return subprocess.CompletedProcess(command, 0)

    settled: list[tuple[Path, ...]] = []

    def note(*given: Path) -> str:
        settled.append(given)
        return "settled"

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(build_faces, "settle", note)
    output = tmp_path / "detector"
    output.mkdir()
    (output / "faces.json").touch()
    call = [f"--data={tmp_path}", f"--work={tmp_path}", f"--output={output}"]
    assert CliRunner().invoke(build_faces.main, [*call, "--", "--passes", "3"]).exit_code == 0
    (first,) = commands
    assert first[-2:] == ["--passes", "3"]
    assert [first[i + 1] for i, word in enumerate(first) if word == "--images"] == [
        str(tmp_path / name / "images") for name in SETS
    ]
    assert first.count("--exclude-like") == 3
    folder = Path(first[first.index("--run-dir") + 1])
    folder.mkdir()
    (folder / "config.toml").touch()
    assert CliRunner().invoke(build_faces.main, call).exit_code == 0
    assert commands[1] == ["--resume", str(folder)]
    assert settled == 2 * [
        (output / "faces.json", tmp_path / next(iter(SETS)), folder / "split.csv")
    ]


def test_the_card_is_settled_by_what_both_files_find(tmp_path: Path) -> None:
    """A photograph with one face: the confidence at which nothing else passes for one."""
    folder = tmp_path / "detector"
    shutil.copytree(bundled("face_detector"), folder, ignore=shutil.ignore_patterns("original"))
    card = folder / "ssd_faces.json"
    contents = json.loads(card.read_text(encoding="utf-8"))
    contents |= {"default_confidence": 0.1, "interchangeable": ["float16", "int8"]}
    card.write_text(json.dumps(contents), encoding="utf-8")
    for kind in ("images", "labels"):
        (tmp_path / kind).mkdir()
    shutil.copy(bundled("samples") / "astronaut.jpg", tmp_path / "images")
    (tmp_path / "labels" / "astronaut.txt").write_text("0 0.434 0.230 0.17 0.24\n", "utf-8")
    (tmp_path / "split.csv").write_text(
        f"file,set,faces,split\n{tmp_path}/images/astronaut.jpg,1,1,val\n", "utf-8"
    )
    said = settle(card, tmp_path, tmp_path / "split.csv")
    settled = json.loads(card.read_text(encoding="utf-8"))
    confidence = settled["default_confidence"]
    assert f"confidence {confidence}" in said
    picture = cv2.imread(str(tmp_path / "images" / "astronaut.jpg"))
    for size in (320, 896):
        found = load_face_detector(folder, confidence=confidence, face_size=size).detect(picture)
        assert len(found[0]) == 1
    assert "interchangeable" not in settled or "up to 0." in said
    before = card.read_text(encoding="utf-8")
    (tmp_path / "labels" / "astronaut.txt").write_text("0 0.9 0.9 0.1 0.1\n", "utf-8")
    with pytest.raises(ValueError, match="precise enough at no confidence"):
        settle(card, tmp_path, tmp_path / "split.csv")
    assert card.read_text(encoding="utf-8") == before


def test_boxes_of_two_files_are_compared_in_pixels_of_the_input() -> None:
    """Ten of a picture's 640 pixels are five of the input's 320; a face one file misses is none."""
    scores = np.array([0.9, 0.9], np.float32)
    one = np.array([[100, 100, 200, 200], [400, 50, 440, 90]], np.float32), scores
    other = np.array([[110, 100, 210, 200]], np.float32), scores[:1]
    picture = np.zeros((320, 640, 3), np.uint8)
    assert displacement([one], [other], [picture], 320, 0.5) == pytest.approx(5)
    assert displacement([one], [one], [picture], 320, 0.5) == 0
