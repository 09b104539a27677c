"""Frames looked at in full now and then, and faces followed in between."""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from maskdet.boxes import intersection_over_union
from maskdet.errors import ModelError
from maskdet.media.frames import Frame
from maskdet.stream import detect_frames
from maskdet.vision.faces.detector import Faces
from maskdet.vision.faces.following import _steadied
from maskdet.vision.faces.looks import EARLIER, FULL_EVERY, KNOWN_AFTER
from maskdet.vision.faces.size_choice import DELAY, FIRST_LOOKS, LOOK_EVERY
from maskdet.vision.faces.sizes import AutoSizedFaceDetector
from maskdet.vision.pipeline import MaskDetector

SIZES = (320, 448, 640, 896)
WIDTH, HEIGHT = 640, 360
# Of the picture's 640 pixels of width, more would show nothing more.
FULL = 640
LARGE, SMALL = (60, 100, 90), (400, 150, 9)

Square = tuple[float, float, float]


class SquareFinder:
    """Finds bright squares that are at least 12 pixels high at its size, as a network would."""

    default_confidence = 0.4
    precision = None
    workers = 2

    def __init__(
        self,
        size: int,
        calls: Counter[int],
        blind: Sequence[int] = (),
        taller: float = 0,
        restless: float = 0,
    ) -> None:
        self.size, self.calls, self.blind = size, calls, blind
        # In cut-outs alone: so much of a face's height is added above it.
        self.taller = taller if size < SIZES[0] else 0
        # In whole frames alone, every other time.
        self.restless = restless if size >= SIZES[0] else 0
        self.lock = threading.Lock()

    def detect(self, frame_bgr: np.ndarray) -> Faces:
        """Finds them in order of size."""
        with self.lock:
            self.calls[self.size] += 1
            odd = self.calls[self.size] % 2
        seen = cv2.resize(frame_bgr, (self.size, self.size), interpolation=cv2.INTER_AREA)
        _, _, stats, _ = cv2.connectedComponentsWithStats((seen[:, :, 0] > 100).astype(np.uint8))
        rows = [row[:4] for row in stats[1:] if row[3] >= 12 and self.size not in self.blind]
        corners = np.array(
            [(x, y, x + wide, y + high) for x, y, wide, high in rows], np.float32
        ).reshape(-1, 4)
        taller = self.taller + self.restless * odd
        corners[:, 1] -= taller * (corners[:, 3] - corners[:, 1])
        scale = np.tile(np.array(frame_bgr.shape[1::-1], np.float32) / self.size, 2)
        return corners * scale, np.full(len(rows), 0.9, np.float32)


def finder(
    *,
    thorough: bool = False,
    blind: Sequence[int] = (),
    taller: float = 0,
    restless: float = 0,
) -> tuple[AutoSizedFaceDetector, Counter[int]]:
    """A sized detector of squares, and how often it has looked at which size."""
    calls: Counter[int] = Counter()
    detector = AutoSizedFaceDetector(
        lambda size: SquareFinder(size, calls, blind, taller, restless), SIZES, thorough=thorough
    )
    return detector, calls


def frame_of(*squares: Square) -> np.ndarray:
    """A dark frame with bright squares: left, top, side."""
    frame = np.full((HEIGHT, WIDTH, 3), 20, np.uint8)
    for left, top, side in squares:
        end = round(left + side), round(top + side)
        frame[round(top) : end[1], round(left) : end[0]] = 220
    return frame


def watch(detector: AutoSizedFaceDetector, frames: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The boxes found in each frame, ordered by their left edges."""
    following = detector.following()
    found = [following.detect(index, frame)[0] for index, frame in enumerate(frames)]
    return [boxes[np.argsort(boxes[:, 0])] for boxes in found]


def test_a_small_face_is_followed_at_a_small_price() -> None:
    """It is found in every frame, in full in the first few and then in one of ten."""
    detector, calls = finder()
    found = watch(detector, [frame_of(LARGE, SMALL)] * 60)
    for boxes in found:
        overlaps = intersection_over_union(
            boxes, np.array([(60, 100, 150, 190), (400, 150, 409, 159)], np.float32)
        )
        assert boxes.shape == (2, 4)
        assert (np.diag(overlaps) > 0.8).all()
    # As long as no look is known; then one of ten, which proves that the whole frame would do as
    # well. A cut-out is a picture of 128 pixels: two a frame, and two more at each look of which
    # one before is known, which says where they were followed to.
    assert calls[FULL] == KNOWN_AFTER + 60 // FULL_EVERY - 1
    assert calls[320] == calls[FULL]
    assert calls[128] == 2 * (60 - KNOWN_AFTER + 60 // FULL_EVERY)
    assert calls[896] == 0


def test_a_face_close_by_is_followed_at_a_small_price() -> None:
    """One frame in ten is looked at whole, at the smallest size; in the others is one cut-out."""
    detector, calls = finder()
    found = watch(detector, [frame_of((60 + at, 100, 90)) for at in range(LOOK_EVERY)])
    for at, boxes in enumerate(found):
        truth = np.array([[60 + at, 100, 150 + at, 190]], np.float32)
        assert boxes.shape == (1, 4)
        assert intersection_over_union(boxes, truth).item() > 0.9
    assert calls[FULL] == FIRST_LOOKS
    assert calls[320] <= FIRST_LOOKS + 2 * KNOWN_AFTER + LOOK_EVERY // FULL_EVERY
    assert calls[128] >= LOOK_EVERY - DELAY - KNOWN_AFTER


def test_boxes_do_not_jump_from_looks_to_cut_outs() -> None:
    """What a small picture makes of a face, taller by a fifth, is put right by the look's proof."""
    found = watch(finder(taller=0.2)[0], [frame_of(LARGE)] * LOOK_EVERY)
    heights = [boxes[0, 3] - boxes[0, 1] for boxes in found]
    assert max(heights) - min(heights) <= 3


def test_boxes_do_not_jump_to_looks_and_back() -> None:
    """What looks make of a face differs by a tenth; its box is steadier, and none of them is lost.

    A look changes what comes after it by half, once it is known.
    """
    found = watch(finder(restless=0.1)[0], [frame_of(LARGE)] * 200)
    heights = np.array([boxes[0, 3] - boxes[0, 1] for boxes in found])[4 * FULL_EVERY :]
    changes = np.abs(np.diff(heights))
    looks = np.arange(len(changes)) % FULL_EVERY
    assert changes[(looks < KNOWN_AFTER - 1) | (looks >= KNOWN_AFTER)].max() < 0.5
    assert 1 < changes.max() < 5.5
    assert 90 < heights.min() < heights.max() < 99


def test_one_box_is_not_given_to_two_faces() -> None:
    """Where followers have one for both, each stays where the look has found it."""
    faces = np.array([[0, 0, 100, 100], [43, 0, 143, 100], [300, 0, 400, 100]], np.float32)
    followed = np.array([[21, 0, 121, 100], [305, 0, 405, 100]], np.float32)
    steady = _steadied(faces, followed)
    np.testing.assert_array_equal(steady[:2], faces[:2])
    np.testing.assert_array_equal(steady[2], followed[1])
    assert _steadied(faces[:0], followed).shape == (0, 4)
    np.testing.assert_array_equal(_steadied(faces, followed[:0]), faces)


def test_a_face_close_by_that_jumps_is_found_at_once() -> None:
    """Its cut-out is empty, so the whole frame is looked at, the same one."""
    for jumps in (33, 34, 36):
        scene = [frame_of(LARGE)] * jumps + [frame_of((420, 200, 90))] * (50 - jumps)
        found = watch(finder()[0], scene)
        assert [len(boxes) for boxes in found] == [1] * 50
        assert all(boxes[0, 0] > 400 for boxes in found[jumps:])


def test_a_face_close_by_that_leaves_is_not_looked_for_for_long() -> None:
    """A look comes early, and from when its leaving is known frames cost what they did before."""
    detector, calls = finder()
    watch(detector, [frame_of(LARGE, (300, 100, 80))] * 31 + [frame_of(LARGE)] * 9)
    steady, usual = finder()
    watch(steady, [frame_of(LARGE, (300, 100, 80))] * 40)
    assert calls[320] <= usual[320] + 2 * KNOWN_AFTER + 1


def test_somebody_new_close_by_is_seen_soon() -> None:
    """At once if that is motion, and within ten frames if it is too faint to be."""
    for comes in (41, 42, 44, 47):
        scene = [frame_of(LARGE)] * comes + [frame_of(LARGE, (400, 60, 60))] * (60 - comes)
        found = watch(finder()[0], scene)
        first = next(at for at, boxes in enumerate(found) if len(boxes) == 2)
        assert first == comes
        assert all(len(boxes) == 2 for boxes in found[comes:])
        faint = [np.maximum(frame, 95) for frame in scene]
        for frame in faint[comes:]:
            frame[60:120, 400:460] = 102
        found = watch(finder()[0], faint)
        first = next(at for at, boxes in enumerate(found) if len(boxes) == 2)
        assert comes <= first < comes + FULL_EVERY
        assert all(len(boxes) == 2 for boxes in found[first + KNOWN_AFTER :])


def test_an_empty_scene_costs_nearly_nothing() -> None:
    """Where nobody is and nothing moves, one frame in ten is looked at."""
    detector, calls = finder()
    watch(detector, [frame_of()] * LOOK_EVERY)
    assert calls[448] <= DELAY + KNOWN_AFTER + LOOK_EVERY // FULL_EVERY
    assert sum(calls.values()) <= 2 * calls[448] + 2 * FIRST_LOOKS


def test_a_small_face_that_moves_is_followed() -> None:
    """Half a side a frame, which takes it out of a cut-out that does not move along."""
    frames = [frame_of(LARGE, (200 + 5 * at, 300, 10)) for at in range(60)]
    detector, calls = finder()
    found = watch(detector, frames)
    # Known by its motion from the second look on.
    for at in range(FULL_EVERY + KNOWN_AFTER, 60):
        assert len(found[at]) == 2, at
        assert abs(found[at][1][0] - (200 + 5 * at)) <= 1.5
    assert calls[FULL] < 20


def test_a_face_that_jumps_is_looked_for_in_full() -> None:
    """Lost by the cut-outs it is found again before the next look; gone, it costs a few looks."""
    jumps = [frame_of(LARGE, SMALL)] * 26 + [frame_of(LARGE, (250, 50, 9))] * 14
    found = watch(finder()[0], jumps)
    assert all(len(boxes) == 2 for boxes in found[26 + KNOWN_AFTER :])
    detector, calls = finder()
    watch(detector, [frame_of(LARGE, SMALL)] * 32 + [frame_of(LARGE)] * 8)
    steady, usual = finder()
    watch(steady, [frame_of(LARGE, SMALL)] * 40)
    assert calls[FULL] <= usual[FULL] + KNOWN_AFTER


def test_a_new_small_face_is_seen_within_ten_frames() -> None:
    """Whichever frame it comes in, it is found soon, and then kept."""
    for comes in (22, 25, 31):
        scene = [frame_of(LARGE, SMALL)] * comes
        scene += [frame_of(LARGE, SMALL, (550, 60, 9))] * (60 - comes)
        found = watch(finder()[0], scene)
        first = next(at for at, boxes in enumerate(found) if len(boxes) == 3)
        assert comes <= first < comes + FULL_EVERY
        assert all(len(boxes) == 3 for boxes in found[first + KNOWN_AFTER :])


def test_motion_brings_a_look_forward() -> None:
    """What moves where nobody is known is looked at after five frames instead of ten."""
    scene = [frame_of(LARGE, SMALL)] * 21
    scene += [frame_of(LARGE, SMALL, (550, 60, 9))] * 9
    found = watch(finder()[0], scene)
    assert [len(boxes) for boxes in found[20:26]] == [2, 2, 2, 2, 2, 3]
    assert 20 + EARLIER == 25
    detector, calls = finder()
    watch(detector, [frame_of(LARGE, SMALL)] * 30)
    moving, more = finder()
    watch(moving, scene)
    assert more[FULL] == calls[FULL] + 1


def test_what_goes_on_to_move_brings_no_look_forward() -> None:
    """Leaves in the wind: once it is known where they move, looks come when they are due."""
    generator = np.random.default_rng(5)
    scene = [frame_of(LARGE, SMALL) for _ in range(60)]
    for frame in scene:
        # Dimmer than a face, each leaf light or dark from frame to frame.
        leaves = generator.choice(np.array([20, 80], np.uint8), (18, 4))
        frame[:, 560:] = np.kron(leaves, np.ones((20, 20), np.uint8))[:, :, None]
    detector, calls = finder()
    found = watch(detector, scene)
    assert all(len(boxes) == 2 for boxes in found)
    steady, usual = finder()
    watch(steady, [frame_of(LARGE, SMALL)] * 60)
    assert calls[FULL] <= usual[FULL] + 2


def test_what_cannot_be_followed_is_looked_at_in_full() -> None:
    """If cut-outs do not show what full looks do, every frame is one, and nobody is lost."""
    detector, calls = finder(blind=(128,))
    found = watch(detector, [frame_of(LARGE, SMALL)] * 30)
    assert all(len(boxes) == 2 for boxes in found)
    assert calls[FULL] == 30


def test_a_crowd_that_costs_more_to_follow_is_looked_at_in_full() -> None:
    """Thirty cut-outs would be four pictures of 320 pixels, as much as one of 640."""
    crowd = [(20 + 60 * (at % 10), 40 + 100 * (at // 10), 9) for at in range(30)]
    detector, calls = finder()
    found = watch(detector, [frame_of(*crowd)] * 20)
    assert all(len(boxes) == 30 for boxes in found)
    assert calls[FULL] == 20


def test_frames_far_apart_are_looked_at_in_full() -> None:
    """At four frames a second a face is elsewhere before a look is known; at 25 it is not."""
    for rate, full in ((4, 20), (25, KNOWN_AFTER + 1)):
        detector, calls = finder()
        following = detector.following()
        for index in range(20):
            following.detect(index, frame_of(LARGE, SMALL), moment=index / rate)
        assert calls[FULL] == full


def test_whoever_must_not_be_overlooked_is_looked_for_in_every_frame() -> None:
    """Where faces are to be blurred every frame is looked at in full, and nothing is packed."""
    detector, calls = finder(thorough=True)
    watch(detector, [frame_of(LARGE, SMALL)] * 20)
    assert calls == {FULL: 20, 320: 20}


def walk(count: int, first: int = 0) -> list[np.ndarray]:
    """A scene in which small faces come, go and walk about, from one of its frames on."""
    frames = []
    for at in range(first, first + count):
        squares: list[Square] = [LARGE, (300 + 90 * np.sin(at / 9), 30 + at % 80, 10)]
        if at // 17 % 2:
            squares.append((500 + at % 17, 200, 9))
        if at // 29 % 3:
            squares.append((250, 300, 11))
        frames.append(frame_of(*squares))
    return frames


def test_frames_that_race_give_the_same_faces() -> None:
    """Two or four workers, whichever is ready first: the same boxes to the bit."""
    frames = walk(70)

    def found(workers: int, seed: int) -> list[bytes]:
        pauses = np.random.default_rng(seed).uniform(0, 0.002, len(frames))
        following = finder()[0].following()

        def find(index: int) -> bytes:
            time.sleep(pauses[index])
            return following.detect(index, frames[index])[0].tobytes()

        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(find, range(len(frames))))

    alone = found(1, 0)
    assert len(set(alone)) > 20
    assert found(2, 1) == alone
    assert found(4, 2) == alone


def test_a_part_is_looked_at_as_the_whole_is() -> None:
    """A piece that begins where one pass looks about shows the same, once it has warmed up."""
    begin, count = 2 * LOOK_EVERY, 90
    whole = watch(finder()[0], walk(begin + count))[begin:]
    part = watch(finder()[0], walk(count, first=begin))
    warm = max(FIRST_LOOKS + DELAY, 2 * FULL_EVERY + KNOWN_AFTER)
    for one, other in zip(whole[warm:], part[warm:], strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_frame_that_fails_keeps_no_other_waiting() -> None:
    """The network fails at a look; the frames after it are looked at all the same."""
    detector, _ = finder()
    following = detector.following()
    frame = frame_of(LARGE, SMALL)
    for index in range(30):
        if index == FULL_EVERY:
            try:
                following.detect(index, np.zeros((HEIGHT, 0, 3), np.uint8))
            except Exception:  # noqa: BLE001 - whatever it says, the next frame must not wait
                continue
            raise AssertionError("an empty frame was looked at")
        assert len(following.detect(index, frame)[0]) == 2


class Film:
    """A file of bright squares."""

    kind, name, frame_rate, frame_count = "video", "film.mp4", 25.0, 40
    folder = None
    is_moving, is_live = True, False

    def __init__(self) -> None:
        self.failures: list[str] = []

    def __iter__(self) -> Iterator[Frame]:
        for index in range(self.frame_count):
            yield Frame(self.name, index, index / self.frame_rate, frame_of(LARGE))


class Undecided:
    """Calls every face masked or bare alike."""

    precision, labels, crop_margin, maps = None, ("with_mask", "without_mask"), 0.25, False

    def classify(self, _: np.ndarray, xyxy: np.ndarray) -> tuple[np.ndarray, np.ndarray, None]:
        """Returns even probabilities."""
        even = np.full((len(xyxy), 2), 0.5, np.float32)
        return even, np.zeros_like(even), None


def test_what_fails_beside_a_frame_leaves_no_other_waiting() -> None:
    """The look at other turns fails in one lane; the others wait for what its frame shows."""
    detector, _ = finder()
    turned = threading.Event()

    def fail(frame_bgr: np.ndarray) -> Faces:
        turned.set()
        raise ModelError(f"{frame_bgr.shape}: no")

    detector.detect = fail  # type: ignore[method-assign]  # what looks for turns, and nothing else
    before = threading.active_count()
    frames = detect_frames([Film()], MaskDetector(detector, Undecided()), log=lambda _: None)
    with pytest.raises(ModelError, match="no"):
        list(frames)
    assert turned.is_set()
    until = time.monotonic() + 3
    while threading.active_count() > before and time.monotonic() < until:
        time.sleep(0.01)
    assert threading.active_count() <= before
