"""Zones and smallest faces: which faces count."""

import numpy as np

from maskdet.serve.site.camera_settings import CameraSettings, Zone
from maskdet.serve.watching.areas import Areas

LEFT = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
# Faces 20 pixels high at the left and the right, and one of 40 at the left.
FACES = np.array([[10, 10, 30, 30], [160, 10, 180, 30], [40, 40, 80, 80]], np.float32)


def kept(**settings: object) -> list[bool]:
    """Returns which of the faces count in a frame of 200 x 100."""
    camera = CameraSettings("door", "0", **settings)  # type: ignore[arg-type]
    result: list[bool] = Areas(camera).keep(FACES, 200, 100).tolist()
    return result


def test_without_zones_only_the_size_counts() -> None:
    """All faces, or those high enough."""
    assert kept() == [True, True, True]
    assert kept(min_face=30) == [False, False, True]


def test_a_watched_zone_leaves_out_what_is_elsewhere() -> None:
    """Faces lie where their centres are; a zone's own smallest face goes before the camera's."""
    assert kept(zones=(Zone("a", LEFT),)) == [True, False, True]
    assert kept(zones=(Zone("a", LEFT, min_face=30),)) == [False, False, True]
    assert kept(zones=(Zone("a", LEFT, min_face=10),), min_face=30) == [True, False, True]


def test_a_masked_zone_is_passed_over() -> None:
    """All of it, or its small faces alone."""
    assert kept(zones=(Zone("a", LEFT, is_masked=True),)) == [False, True, False]
    assert kept(zones=(Zone("a", LEFT, is_masked=True, min_face=30),)) == [False, True, True]


def test_overlapping_zones_take_the_smaller_face() -> None:
    """Where two watched zones lie upon one another, the one that asks less decides."""
    zones = (Zone("a", LEFT, min_face=30), Zone("b", LEFT, min_face=15))
    assert kept(zones=zones) == [True, False, True]


def test_no_faces_are_none() -> None:
    """A frame without faces is no error."""
    camera = CameraSettings("door", "0", zones=(Zone("a", LEFT),))
    assert Areas(camera).keep(np.zeros((0, 4), np.float32), 200, 100).shape == (0,)
