"""What is blurred in a video while faces are not found."""

import time

import numpy as np
import pytest

from maskdet.boxes import intersection_over_union
from maskdet.detections import FloatArray
from maskdet.vision.veil import Veil, VeilOptions

OPTIONS = VeilOptions(hold=6, ahead=4, doubtful_hold=1)


def face(frame: int) -> FloatArray:
    """A face of 40 pixels that moves 5 pixels a frame."""
    return np.array([[100 + 5 * frame, 50, 140 + 5 * frame, 100]], np.float32)


def played(found: set[int], frames: int, *, sure: bool = True, ahead: int = 4) -> list[FloatArray]:
    """Plays a video in which the moving face is found in some frames; what is blurred in each."""
    veil = Veil(VeilOptions(hold=6, ahead=ahead, doubtful_hold=1))
    blurred = []
    for frame in range(frames):
        boxes = face(frame) if frame in found else np.zeros((0, 4), np.float32)
        veil.add(boxes, len(boxes) if sure else 0)
        if frame >= ahead:
            blurred.append(veil.at(frame - ahead))
    return blurred + [veil.at(frame) for frame in range(max(0, frames - ahead), frames)]


def covered(blurred: list[FloatArray]) -> list[bool]:
    """Tells for each frame whether the face's own place is blurred."""
    return [
        len(boxes) > 0 and float(intersection_over_union(boxes, face(frame)).max()) > 0.5
        for frame, boxes in enumerate(blurred)
    ]


@pytest.mark.parametrize("ahead", [0, 4])
def test_a_face_lost_for_a_while_stays_blurred(ahead: int) -> None:
    """Between two sightings, on the way from one to the other; nothing is blurred twice."""
    blurred = played({*range(5), *range(10, 14)}, 14, ahead=ahead)
    assert all(covered(blurred))
    assert [len(boxes) for boxes in blurred] == [1] * 14


def test_a_face_found_late_is_blurred_from_before() -> None:
    """In the frames held back; where none are, from its first sighting on."""
    blurred = played({9, 10, 11}, 12)
    assert [len(boxes) for boxes in blurred] == [0] * 5 + [1] * 7
    # Where it came from is known from the second sighting on.
    assert all(covered(blurred)[6:])
    assert covered(played({9, 10, 11}, 12, ahead=0)) == [False] * 9 + [True] * 3


def test_a_face_that_has_gone_is_let_go() -> None:
    """It stays blurred where it was going for as long as asked, and no longer."""
    blurred = played({0, 1, 2}, 20)
    assert covered(blurred) == [True] * 9 + [False] * 11
    assert not any(len(boxes) for boxes in blurred[9:])


def test_what_was_doubtful_for_a_moment_leaves_no_smear() -> None:
    """Something that looked like a face once is blurred a frame before and after; no more."""
    assert covered(played({8}, 20, sure=False)) == [frame in (7, 8, 9) for frame in range(20)]
    assert sum(covered(played({7, 8, 9}, 20, sure=False))) == 8


def test_every_face_has_its_own_trail() -> None:
    """Two faces side by side: one is lost, the other moves on, both stay blurred."""
    veil = Veil(OPTIONS)
    for frame in range(8):
        other = face(frame) + np.float32(60)
        boxes = np.concatenate([face(frame), other]) if frame < 4 else other
        veil.add(boxes, len(boxes))
        overlaps = intersection_over_union(veil.at(frame), np.concatenate([face(frame), other]))
        assert (overlaps.max(axis=0) > 0.5).all()


def test_a_face_that_grows_as_it_comes_nearer_is_followed() -> None:
    """A tenth larger from frame to frame, with a frame missed now and then: one box each."""
    veil = Veil(OPTIONS)
    for frame in range(20):
        side = 20 * 1.1**frame
        box = np.array([[300 - side, 300 - side, 300 + side, 300 + side]], np.float32)
        veil.add(box if frame % 4 else box[:0], int(frame % 4 > 0))
        if frame > 1:
            assert len(veil.at(frame)) == 1


def test_memory_is_bounded() -> None:
    """A camera that runs for days: what is over is forgotten, and a frame takes no longer."""
    veil = Veil(OPTIONS)
    random = np.random.default_rng(0)
    start = time.process_time()
    for frame in range(1000):
        corners = random.uniform(0, 2000, (3, 2)).astype(np.float32)
        veil.add(np.hstack([corners, corners + 30]), 1)
        veil.add(np.array([[5, 5, 35, 35]], np.float32), 1)
        assert len(veil.at(2 * frame + 1)) < 40
    assert time.process_time() - start < 20


def test_boxes_given_are_left_alone() -> None:
    """They belong to the detections."""
    boxes = face(0)
    veil = Veil(OPTIONS)
    veil.add(boxes, 1)
    veil.add(boxes[:0], 0)
    veil.at(1)[:] = 0
    assert (boxes == face(0)).all()
    assert len(veil.at(0)) == 1
