"""Where masks are worn wrongly, and how often."""

from collections.abc import Callable, Sequence

import numpy as np

from maskdet.dataset.head import CHIN, FOREHEAD, LANDMARKS, Pose, hanging, surface
from maskdet.detections import FloatArray

# How often a mask is worn wrongly where, of pictures that show all of these.
_WRONG = {
    "under_nose": 0.35,
    "on_chin": 0.28,
    "over_eyes": 0.1,
    "on_forehead": 0.14,
    "on_ear": 0.13,
}


def wrong_place(poses: Sequence[Pose], size: tuple[int, int], random: np.random.Generator) -> str:
    """Chooses where a mask is worn wrongly: not where a tight picture has cut the face off.

    Args:
        poses: of the faces in the picture; all wear it alike.
        size: width and height of the picture in pixels.
        random: chooses.

    Returns:
        One of `maskdet.dataset.fabric.PLACES`, never ``worn``.
    """
    low, high = np.zeros(2), np.array(size)
    fitting = ["under_nose"]
    for place, seen in _SHOWN.items():
        points = np.array([pose.project(seen(pose)) for pose in poses])
        if ((points >= low) & (points < high)).all():
            fitting.append(place)
    shares = np.array([_WRONG[place] for place in fitting])
    return str(random.choice(fitting, p=shares / shares.sum()))


def _below_ear(pose: Pose) -> FloatArray:
    """Returns the middle of a mask that hangs from the nearer ear, (3,) mm of the head."""
    return hanging(0.0, CHIN / 2, pose, 0.0)


# The point of the head, in mm, that a picture has to show for a mask to hang there.
_SHOWN: dict[str, Callable[[Pose], FloatArray]] = {
    "on_chin": lambda _: surface(0.0, CHIN, over_nose=False),
    "over_eyes": lambda _: LANDMARKS[2],
    "on_forehead": lambda _: surface(0.0, FOREHEAD, over_nose=False),
    "on_ear": _below_ear,
}
