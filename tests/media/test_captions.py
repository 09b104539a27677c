"""Where captions stand."""

import numpy as np

from maskdet.media.captions import CaptionPlaces


def places(*boxes: tuple[float, ...], size: tuple[int, int] = (300, 200)) -> CaptionPlaces:
    """Returns the places about faces in a picture."""
    return CaptionPlaces(np.array(boxes, np.float32).reshape(-1, 4), *size, line=2)


def test_above_the_box_as_ever() -> None:
    """Where there is room, a caption stands on its box and starts with it."""
    assert places((50, 60, 90, 110)).find(0, 60, 12) == (50, 58)


def test_below_then_beside() -> None:
    """At the upper edge it goes below; where a neighbour is there, too, beside the box."""
    assert places((50, 0, 90, 110)).find(0, 60, 12) == (50, 124)
    assert places((50, 0, 90, 110), (40, 112, 120, 190)).find(0, 60, 12) == (92, 12)
    right = places((250, 0, 290, 198), (0, 0, 100, 20))
    assert right.find(0, 60, 12) == (188, 12)


def test_it_slides_to_stay_inside() -> None:
    """At the right edge it starts further left."""
    assert places((270, 60, 298, 110)).find(0, 60, 12) == (240, 58)


def test_no_room_is_no_caption() -> None:
    """In the middle of a crowd shoulder to shoulder a face's caption is left out."""
    grid = [(x, y, x + 50, y + 50) for y in (0, 50, 100, 150) for x in range(0, 300, 50)]
    crowd = places(*grid)
    assert all(crowd.find(index, 40, 12) is None for index in range(len(grid)))


def test_a_face_that_fills_the_picture() -> None:
    """A small caption stands on its forehead, one that would hide its eyes nowhere."""
    assert places((0, 0, 300, 200)).find(0, 90, 14) == (0, 16)
    assert places((0, 0, 300, 200)).find(0, 90, 40) is None
    assert places((0, 0, 300, 200), (0, 0, 50, 50)).find(0, 90, 14) is None


def test_captions_hide_nothing() -> None:
    """Among faces anywhere, no caption meets a face or another caption, and all are inside."""
    random = np.random.default_rng(5)
    shown = 0
    for _ in range(30):
        corners = random.uniform(-10, 290, (12, 2)) * (1, 0.66)
        faces = np.hstack([corners, corners + random.uniform(8, 60, (12, 1))]).astype(np.float32)
        finder = CaptionPlaces(faces, 300, 200, 2)
        taken: list[np.ndarray] = []
        for index in range(len(faces)):
            found = finder.find(index, 70, 11)
            if found is None:
                continue
            left, bottom = found
            bar = np.array([left, bottom - 11, left + 70, bottom], np.float32)
            assert (bar[:2] >= 0).all()
            assert bar[2] <= 300
            assert bar[3] <= 200
            for other in [*faces, *taken]:
                across, down = (
                    min(bar[axis + 2], other[axis + 2]) - max(bar[axis], other[axis])
                    for axis in (0, 1)
                )
                assert across <= 0 or down <= 0
            taken.append(bar)
            shown += 1
    assert shown > 150
