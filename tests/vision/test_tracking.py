"""Faces followed through video: numbers that stay, labels that do not flicker."""

import cv2
import numpy as np
import pytest

from maskdet.vision.pipeline import Follower, MaskDetector
from maskdet.vision.track import Track, TrackingOptions
from maskdet.vision.tracking import Tracker

MASK, BARE = np.array([0.97, 0.03], np.float32), np.array([0.03, 0.97], np.float32)


def box(x: float, y: float = 100, side: float = 50) -> list[float]:
    """Returns a square box with its left top corner at (x, y)."""
    return [x, y, x + side, y + side]


def boxes(*rows: list[float]) -> np.ndarray:
    """Returns (N, 4) float32 boxes."""
    return np.array(rows, np.float32).reshape(-1, 4)


def numbers(tracks: list[Track]) -> list[int]:
    """Returns the tracks' numbers."""
    return [track.number for track in tracks]


def test_moving_faces_keep_their_numbers() -> None:
    """Two faces walk past one another in opposite directions; motion tells them apart."""
    tracker = Tracker(2)
    for step in range(25):
        pair = tracker.link(boxes(box(10 * step), box(240 - 10 * step, y=130)))
        assert numbers(pair) == [1, 2]


def test_order_of_boxes_does_not_matter() -> None:
    """The detector sorts by score, which changes from frame to frame."""
    tracker = Tracker(2)
    tracker.link(boxes(box(0), box(300)))
    assert numbers(tracker.link(boxes(box(302), box(2)))) == [2, 1]


def test_a_face_found_twice_is_one_face() -> None:
    """A second box upon a face makes no second person when either box is left alone."""
    outer, inner = [100.0, 100.0, 200.0, 220.0], [106.0, 100.0, 194.0, 176.0]
    for left in (outer, inner):
        tracker = Tracker(2)
        for _ in range(3):
            tracker.link(boxes(outer))
        assert numbers(tracker.link(boxes(outer, inner))) == [1, 2]
        for _ in range(20):
            assert numbers(tracker.link(boxes(left))) == [1]
        assert numbers(tracker.tracks) == [1]


def test_a_face_that_comes_from_behind_another_stays_its_own() -> None:
    """It began upon the other's box, but has moved aside before that one is lost."""
    tracker = Tracker(2)
    tracker.link(boxes(box(100)))
    for step in range(20):
        found = numbers(tracker.link(boxes(box(100), box(125 + 3 * step, y=90))))
        assert found == [1, 2]
    assert numbers(tracker.link(boxes(box(185, y=90)))) == [2]


def test_a_fast_face_is_linked_without_overlap() -> None:
    """A jump of more than its own width is still the same face, when nothing else is near."""
    tracker = Tracker(2, TrackingOptions(reach=1.5))
    assert numbers(tracker.link(boxes(box(0)))) == [1]
    assert numbers(tracker.link(boxes(box(55)))) == [1]


def test_a_face_far_away_is_another() -> None:
    """No overlap and out of reach: a new number."""
    tracker = Tracker(2)
    tracker.link(boxes(box(0)))
    assert numbers(tracker.link(boxes(box(500)))) == [2]


def test_a_face_of_another_size_nearby_is_another() -> None:
    """A large face does not turn into a small one beside it."""
    tracker = Tracker(2)
    tracker.link(boxes(box(0, side=100)))
    assert numbers(tracker.link(boxes(box(105, side=30)))) == [2]


def test_a_face_may_be_missed_for_a_while() -> None:
    """It is expected where its motion leads, and forgotten after the allowed time."""
    tracker = Tracker(2, TrackingOptions(max_age=5, shortest_age=0))
    for step in range(4):
        tracker.link(boxes(box(20 * step)))
    assert tracker.lost().shape == (0, 4)
    for missed in range(1, 4):
        assert tracker.link(boxes()) == []
        assert tracker.lost()[0, 0] == pytest.approx(60 + 20 * missed, abs=3)
    assert numbers(tracker.link(boxes(box(140)))) == [1]
    for _ in range(6):
        tracker.link(boxes())
    assert numbers(tracker.link(boxes(box(140)))) == [2]


def seen_again(
    tracker: Tracker, missing: float, *, rate: float, begin: float = 2.0, frames: bool = True
) -> bool:
    """Tells whether a resting face keeps its number over some time without it.

    Args:
        tracker: new.
        missing: seconds.
        rate: frames a second.
        begin: seconds for which it is seen first.
        frames: whether there are frames in that time, which do not show it.
    """
    for index in range(round(begin * rate)):
        before = tracker.link(boxes(box(0)), index / rate)
    last = (round(begin * rate) - 1) / rate
    if frames:
        for index in range(1, round(missing * rate)):
            tracker.link(boxes(), last + index / rate)
    return numbers(tracker.link(boxes(box(0)), last + missing)) == numbers(before)


@pytest.mark.parametrize("rate", [5, 10, 15, 24])
def test_how_long_a_face_may_be_missed(rate: float) -> None:
    """Twelve frames at the usual rates."""
    assert seen_again(Tracker(2), 13 / rate, rate=rate)
    assert not seen_again(Tracker(2), 14 / rate, rate=rate)


@pytest.mark.parametrize(("rate", "kept", "ended"), [(60, 0.38, 0.5), (120, 0.38, 0.5), (1, 3, 5)])
def test_tracks_end_by_time(rate: float, kept: float, ended: float) -> None:
    """Not by frames, of which a fast camera gives many and a slow one few."""
    assert seen_again(Tracker(2), kept, rate=rate, begin=5)
    assert not seen_again(Tracker(2), ended, rate=rate, begin=5)


@pytest.mark.parametrize(
    ("rate", "missing", "same"),
    [(25, 0.5, True), (25, 1.9, True), (25, 2.6, False), (25, 29, False), (25, 92, False),
     (5, 1.9, True), (5, 29, False), (1, 2, True), (1, 29, False), (0.2, 10, True),
     (0.2, 92, False)],
)  # fmt: skip
def test_no_track_outlives_a_gap(rate: float, missing: float, same: bool) -> None:
    """A stutter is bridged; who stands there after an outage is another, as far as one knows."""
    tracker = Tracker(2)
    assert seen_again(tracker, missing, rate=rate, begin=30, frames=False) == same


def test_motion_is_by_time() -> None:
    """A camera that skips frames: a walker is expected where he is by then."""
    tracker = Tracker(2, TrackingOptions(reach=0.1))
    time = 0.0
    for step in (0.1, 0.1, 0.1, 0.4, 0.1, 0.3, 0.05, 0.4):
        time += step
        assert numbers(tracker.link(boxes(box(300 * time)), time)) == [1]


def test_a_burst_sends_nobody_off() -> None:
    """Two frames within a millisecond, as after a stutter: a pixel's step is no run."""
    tracker = Tracker(2)
    for index in range(20):
        tracker.link(boxes(box(0)), index / 25)
    tracker.link(boxes(box(1)), 19 / 25 + 0.001)
    assert numbers(tracker.link(boxes(box(0)), 20 / 25)) == [1]
    tracker.link(boxes(), 21 / 25)
    assert np.abs(tracker.lost()[0] - box(0)).max() < 5


def decide(
    sequence: list[np.ndarray],
    options: TrackingOptions | None = None,
    incorrect: int | None = None,
) -> list[int]:
    """Returns a track's label after each frame's answer, 25 a second."""
    tracker = Tracker(len(sequence[0]), options, incorrect)
    labels = []
    for answer in sequence:
        (track,) = tracker.link(boxes(box(0)))
        tracker.update(track, answer)
        labels.append(track.label)
    return labels


def test_evidence_worked_out() -> None:
    """Two frames with forgetting 0.5: the mean of the logs has weights 1/3 and 2/3."""
    tracker = Tracker(2, TrackingOptions(forgetting=0.5, certainty=0.99))
    for answer in ([0.9, 0.1], [0.2, 0.8]):
        (track,) = tracker.link(boxes(box(0)))
        tracker.update(track, np.array(answer, np.float32))
    odds = (0.9 / 0.1) ** (1 / 3) * (0.2 / 0.8) ** (2 / 3)
    assert track.shares[0] == pytest.approx(odds / (1 + odds), rel=1e-5)
    assert track.probabilities[0] == pytest.approx(0.9 / 3 + 0.2 * 2 / 3, rel=1e-5)


def test_a_track_is_as_sure_as_its_frames() -> None:
    """No limit to how sure: what the frames say, not what decides the label, is shown."""
    tracker = Tracker(3)
    for answer in ([0.999, 0.0005, 0.0005], [0.99, 0.01, 0.0], [0.9995, 0.0005, 0.0]):
        (track,) = tracker.link(boxes(box(0)))
        tracker.update(track, np.array(answer, np.float32))
        assert 0.99 <= track.probabilities[0] < 1
        assert track.probabilities.sum() == pytest.approx(1, abs=1e-6)


ON, OFF, UNDER = np.eye(3, dtype=np.float32)[[0, 1, 2]] * 0.94 + 0.02


def three(*parts: tuple[np.ndarray, int], adjusting: float = 1.0) -> list[int]:
    """Returns the labels of a model of three, of which the third is worn incorrectly."""
    frames = [answer for answer, count in parts for _ in range(count)]
    return decide(frames, TrackingOptions(adjusting=adjusting), incorrect=2)


def test_adjusting_a_mask_changes_no_label() -> None:
    """Under the nose for less than a second, again and again."""
    assert set(three((ON, 25), *[(UNDER, 20), (ON, 10)] * 3)) == {0}


def test_while_it_may_be_adjusted_both_are_as_probable() -> None:
    """The label that stays is not shown with the probability of what is seen for a moment."""
    tracker = Tracker(3, incorrect=2)
    for answer, count in ((ON, 25), (UNDER, 15)):
        for _ in range(count):
            (track,) = tracker.link(boxes(box(0)))
            tracker.update(track, answer)
    assert track.label == 0
    assert track.probabilities[0] == pytest.approx(0.5 + 0.02 / 2, abs=0.01)
    assert track.probabilities[2] == pytest.approx(0.96 / 2, abs=0.01)
    assert track.probabilities.sum() == pytest.approx(1, abs=1e-6)


def test_a_mask_pulled_under_the_nose_is_called_so() -> None:
    """After the second in which it might have been adjusted, and hardly later."""
    labels = three((ON, 25), (UNDER, 60))
    assert 25 <= labels.index(2) - 25 <= 25 + 5
    assert set(labels[labels.index(2) :]) == {2}
    # With no time for adjusting it is as any other change; who arrives so, is so.
    assert three((ON, 25), (UNDER, 60), adjusting=0).index(2) - 25 <= 5
    assert set(three((UNDER, 20))) == {2}


def test_other_changes_wait_for_nothing() -> None:
    """A mask taken off on the way past the mouth, put right again, or put on from the chin."""
    taken_off = three((ON, 25), (UNDER, 10), (OFF, 25))
    assert 2 not in taken_off
    assert taken_off.index(1) - 35 <= 5
    put_right = three((UNDER, 50), (ON, 10))
    assert put_right.index(0) - 50 <= 5


def test_of_three_labels_two_share_what_speaks_against_the_third() -> None:
    """A face that is certainly not masked loses that label, however the rest is divided."""
    divided = np.array([0.1, 0.42, 0.48], np.float32)
    assert three((ON, 25), (divided, 40))[-1] == 2
    # And between those two nothing flips.
    other = np.array([0.1, 0.48, 0.42], np.float32)
    assert set(three((UNDER, 25), *[(divided, 3), (other, 3)] * 10)) == {2}


def test_one_blurred_frame_does_not_flip_a_label() -> None:
    """Even an answer that is sure of itself needs company."""
    assert decide([MASK] * 10 + [BARE] + [MASK] * 5) == [0] * 16


def test_smeared_frames_count_less() -> None:
    """Four frames of motion blur and a wrong answer flip nothing; sharp ones are believed."""
    sharp = np.random.default_rng(3).integers(0, 255, (100, 100, 3)).astype(np.uint8)
    smeared = cv2.blur(sharp, (41, 1))
    for disturbed, expected in ((smeared, 0), (sharp, 1)):
        tracker = Tracker(2)
        for frame, answer in [(sharp, MASK)] * 10 + [(disturbed, BARE)] * 4:
            (track,) = tracker.link(boxes([10, 10, 90, 90]))
            tracker.needs_classifying(track, frame)
            tracker.update(track, answer)
        assert track.label == expected


def test_a_real_change_is_taken_within_five_frames() -> None:
    """A mask taken off, after however long a time with it."""
    labels = decide([MASK] * 500 + [BARE] * 10)
    assert labels[500:].index(1) <= 5
    assert set(labels[505:]) == {1}


def test_undecided_evidence_leaves_the_label() -> None:
    """Hysteresis: answers about a half change nothing."""
    unsure = np.array([0.45, 0.55], np.float32)
    assert set(decide([MASK] * 3 + [unsure] * 30)) == {0}


def test_only_faces_that_need_it_are_classified_again() -> None:
    """A settled face that stays as it is rests; one that changes, or has rested, is looked at."""
    tracker = Tracker(2, TrackingOptions(recheck=0.16))
    frame = np.full((300, 300, 3), 120, np.uint8)
    asked = []
    for number in range(14):
        if number == 10:
            frame[100:150, :50] = 30
        (track,) = tracker.link(boxes(box(0)))
        due = tracker.needs_classifying(track, frame)
        asked.append(due)
        if due:
            track.answer = MASK, MASK
        tracker.update(track, MASK)
    assert asked[0]
    assert asked[10]
    assert 4 <= sum(asked) <= 8


def test_a_box_that_trembles_is_no_change() -> None:
    """Boxes of the same still face, a little off and larger or smaller, do not ask for a look."""
    generator = np.random.default_rng(3)
    frame = cv2.GaussianBlur(generator.integers(0, 256, (300, 300, 3), np.uint8), (0, 0), 4)
    frame = cv2.normalize(frame, None, 0, 255, cv2.NORM_MINMAX)
    tracker = Tracker(2, TrackingOptions(recheck=9))
    asked = []
    for number in range(12):
        trembling = np.array([100, 100, 200, 220]) + generator.uniform(-3, 3, 4)
        if number == 11:
            trembling += [60, 0, 60, 0]
        (track,) = tracker.link(boxes(trembling.astype(np.float32)))
        asked.append(tracker.needs_classifying(track, frame))
        track.answer = MASK, MASK
        tracker.update(track, MASK)
    assert asked[0]
    assert not any(asked[1:11])
    assert asked[11], "another part of the picture is another face"


class CountingClassifier:
    """Answers by the brightness of the face, and counts the faces it was asked about."""

    labels = ("with_mask", "without_mask")
    crop_margin = 0.0
    maps = False

    def __init__(self) -> None:
        self.faces = 0

    def classify(self, frame_bgr: np.ndarray, xyxy: np.ndarray) -> tuple[np.ndarray, ...]:
        """Takes bright faces for masked ones."""
        self.faces += len(xyxy)
        bright = [frame_bgr[int(b[1]) : int(b[3]), int(b[0]) : int(b[2])].mean() > 99 for b in xyxy]
        shares = np.array([MASK if light else BARE for light in bright], np.float32)
        return shares, np.log(shares), None


def test_follower_gives_tracks_and_saves_work() -> None:
    """Two still faces keep their numbers and labels for a fraction of the classifier's work."""
    classifier = CountingClassifier()
    follower = Follower(MaskDetector(None, classifier))  # type: ignore[arg-type]
    frame = np.full((300, 400, 3), 200, np.uint8)
    frame[:, 200:] = 20
    faces = boxes(box(20), box(260))
    for _ in range(40):
        found = follower.classify(frame, faces, np.ones(2, np.float32))
        assert found.predicted_labels == ["with_mask", "without_mask"]
        assert found.tracks is not None
        assert found.tracks.tolist() == [1, 2]
    assert classifier.faces < 40
    none = follower.classify(frame, boxes(), np.ones(0, np.float32))
    assert len(none) == 0
    assert none.lost is not None
    assert len(none.lost) == 2
