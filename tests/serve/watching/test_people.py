"""People counted once each, and where they cross a line."""

import numpy as np

from maskdet.detections import Detections
from maskdet.serve.site.camera_settings import Line
from maskdet.serve.watching.people import Crossing, People

LABELS = ("with_mask", "without_mask")


def faces(*tracks: tuple[int, float, float], label: int = 1) -> Detections:
    """Makes followed faces at places of a frame of 100 x 100."""
    boxes = np.array([[x - 5, y - 5, x + 5, y + 5] for _, x, y in tracks], np.float32)
    shares = np.eye(2, dtype=np.float32)[[label] * len(tracks)]
    ones = np.ones(len(tracks), np.float32)
    numbers = np.array([number for number, _, _ in tracks], np.intp)
    return Detections(LABELS, boxes.reshape(-1, 4), ones, shares, shares, tracks=numbers)


def test_a_person_is_counted_once() -> None:
    """After three frames and half a second, and not again, also after a short absence."""
    people = People(())
    come = [people.see(faces((1, 50, 50)), 100, 100, moment)[0] for moment in (0, 0.2, 0.4, 0.6)]
    assert [dict(one) for one in come] == [{}, {}, {}, {"without_mask": 1}]
    assert not people.see(faces((1, 50, 50)), 100, 100, 10)[0]
    people.forget()
    again = [people.see(faces((1, 50, 50), label=0), 100, 100, 11 + n)[0] for n in range(3)]
    assert dict(again[2]) == {"with_mask": 1}


def test_a_flicker_is_nobody() -> None:
    """What is seen for a frame or two is not counted."""
    people = People(())
    assert not people.see(faces((1, 50, 50)), 100, 100, 0)[0]
    assert not people.see(faces((1, 50, 50)), 100, 100, 5)[0]


def test_uncertain_faces_wait_for_their_label() -> None:
    """Who is there but not yet known is counted under the first label that is sure."""
    people = People(())
    unsure = faces((1, 50, 50)).requiring(1.1)
    for moment in range(4):
        assert not people.see(unsure, 100, 100, moment)[0]
    assert dict(people.see(faces((1, 50, 50)), 100, 100, 4)[0]) == {"without_mask": 1}


def test_crossings_have_sides_and_ends() -> None:
    """To the right of the line is in; past its ends, or along it, is no crossing."""
    people = People((Line("door", (0.2, 0.5), (0.8, 0.5)),))
    for moment in range(3):
        people.see(faces((1, 50, 20), (2, 95, 20)), 100, 100, moment)
    # On the screen, seen from left to right, below is to the right.
    _, crossed = people.see(faces((1, 50, 80), (2, 95, 80)), 100, 100, 3)
    assert crossed == [Crossing("door", "without_mask", True)]
    _, crossed = people.see(faces((1, 60, 85)), 100, 100, 4)
    assert crossed == []
    _, crossed = people.see(faces((1, 55, 15)), 100, 100, 5)
    assert crossed == [Crossing("door", "without_mask", False)]


def test_who_stops_on_the_line_crosses_once() -> None:
    """A step onto the line and one beyond it are one crossing."""
    people = People((Line("door", (0, 0.5), (1, 0.5)),))
    for moment in range(3):
        people.see(faces((1, 50, 20)), 100, 100, moment)
    crossed = people.see(faces((1, 50, 50)), 100, 100, 3)[1]
    crossed += people.see(faces((1, 50, 70)), 100, 100, 4)[1]
    assert crossed == [Crossing("door", "without_mask", True)]
