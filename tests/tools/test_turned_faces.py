"""Which faces count as hard to see."""

import numpy as np

from turned_faces import kinds_of


def row(box: tuple[float, ...], nose: float, score: float) -> list[float]:
    """What YuNet says of a face whose eyes are level, the nose at a share of the way between."""
    left, top = box[:2]
    eyes = (left + 10, top + 15, left + 30, top + 15)
    return [*box, *eyes, left + 10 + 20 * nose, top + 25, *(0,) * 4, score]


def test_kinds() -> None:
    """By score, by the nose's place between the eyes, and by whether YuNet sees it at all."""
    faces = np.array([[x, 0, x + 40, 50] for x in (0, 100, 200, 300)], np.float32)
    seen = np.array(
        [
            row((2, 0, 40, 50), 0.5, 0.9),
            row((100, 0, 38, 50), 1.0, 0.9),
            row((200, 2, 40, 50), 1.0, 0.4),
            row((600, 0, 40, 50), 0.5, 0.9),
        ],
        np.float32,
    )
    assert kinds_of(faces, seen) == ["frontal", "turned", "hardly seen", "not seen"]
    assert kinds_of(faces[:2], seen[:0]) == ["not seen", "not seen"]
