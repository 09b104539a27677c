"""A generic head in three dimensions, and how it is held in a photograph.

Five landmarks say how the head is turned; the lower face is a curved surface on which a mask lies.
Lengths are millimetres of a grown-up's head: x to the right of the picture, y down from the eyes, z
towards the camera. The surface is addressed by an angle around the head's upright axis and by y.
"""

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import ArrayLike

from maskdet.detections import FloatArray

# Of the person's right eye, left eye, nose tip, right and left corner of the mouth: the order of
# YuNet's points. The person's right is the picture's left.
LANDMARKS = np.array([[-31, 0, 0], [31, 0, 0], [0, 39, 26], [-25, 71, 6], [25, 71, 6]], np.float32)
CHIN = 112.0  # y of its front, mm
LOWEST = 145.0  # y below the chin at which the surface ends, mm
WIDEST = np.deg2rad(88)  # angle at which it ends
FOREHEAD = -75.0  # y of its upper end, mm
EAR = np.array([71.0, 12.0, -78.0])  # the one at the picture's right, mm
_HALF_WIDTH, _DEPTH = 67.0, 66.0  # of the head at the cheeks, mm

# How far the face stands out at its middle, by y: forehead, bridge of the nose, its tip, lips,
# chin, neck.
_PROFILE_Y = np.array([-90, -65, -35, -10, 0, 12, 24, 39, 50, 62, 74, 92, 106, 116, 128, 145])
_PROFILE_Z = np.array([-14, 0, 7, 6, 8, 13, 20, 27, 23, 20, 19, 16, 14, 9, -6, -26])
# The same at the temples and cheeks.
_CHEEK_Z = np.array([-18, -6, 0, 0, 0, 0, 1, 2, 2, 2, 1, -2, -6, -11, -19, -30])
_RIDGE = 0.42  # radians within which the middle's profile turns into the cheeks'
# Of a mask that hangs from an ear: length of the loop (mm), half the mask's length (radians), the
# row that hangs straight below the ear, and how far from the cheek (mm).
_LOOP, _HALF_LENGTH, _MIDDLE, _OFF_CHEEK = 24.0, 1.13, 66.0, 6.0


@dataclass(frozen=True)
class Pose:
    """How the head is held: a scaled orthographic camera, then a small correction in the picture.

    Attributes:
        matrix: (2, 3) from millimetres to pixels.
        offset: (2,) pixels, where the point between the eyes lies.
        rotation: (3, 3) of the head, without scale.
        error: how far the landmarks lie from where the model puts them, as a share of the distance
            between the eyes (root mean square).
    """

    matrix: FloatArray
    offset: FloatArray
    rotation: FloatArray
    error: float

    @property
    def yaw(self) -> float:
        """Turn to the side in degrees, 0 when facing the camera."""
        return float(np.degrees(np.arcsin(np.clip(self.rotation[2, 0], -1, 1))))

    @property
    def pixels_per_mm(self) -> float:
        """Scale of the picture at the head."""
        return float(np.sqrt(np.abs(np.linalg.svd(self.matrix, compute_uv=False)).prod()))

    def outward(self, side: int) -> float:
        """Returns how far a side of the head is turned to the camera, from -1 to 1.

        Args:
            side: 1 for the picture's right, -1 for its left.
        """
        return float(np.array([side * 0.9, 0, 0.1]) @ self.rotation[2])

    @property
    def nearer_side(self) -> int:
        """The side that is turned to the camera: 1 for the picture's right, -1 for its left."""
        return 1 if self.outward(1) >= self.outward(-1) else -1

    def project(self, points: FloatArray) -> FloatArray:
        """Returns where (..., 3) points of the head lie in the picture, (..., 2) pixels."""
        return cast("FloatArray", points @ self.matrix.T + self.offset)


def fit_pose(landmarks: FloatArray) -> Pose:
    """Finds the pose of a head.

    Args:
        landmarks: (5, 2) pixels, in the order of `LANDMARKS`.
    """
    model = LANDMARKS - LANDMARKS.mean(axis=0)
    centre = landmarks.mean(axis=0)
    affine = np.linalg.lstsq(model, landmarks - centre, rcond=None)[0].T
    # The nearest pair of orthogonal rows of equal length is a scaled rotation's first two rows.
    left, sizes, right = np.linalg.svd(affine, full_matrices=False)
    rows = left @ right
    rotation = np.vstack([rows, np.cross(rows[0], rows[1])])
    matrix = sizes.mean() * rows
    # Faces differ from the model in length and width: what is left is put right in the picture,
    # by half, as much of it is the landmarks' own error.
    placed = model @ matrix.T
    mend = np.linalg.lstsq(placed, landmarks - centre, rcond=None)[0].T
    matrix = (0.5 * (np.eye(2) + mend)) @ matrix
    offset = centre - LANDMARKS.mean(axis=0) @ matrix.T
    residual = LANDMARKS @ matrix.T + offset - landmarks
    between_eyes = max(1e-6, float(np.linalg.norm(landmarks[1] - landmarks[0])))
    error = float(np.sqrt((residual**2).sum(axis=1).mean())) / between_eyes
    return Pose(
        matrix.astype(np.float32),
        offset.astype(np.float32),
        rotation.astype(np.float32),
        error,
    )


def landmarks_from_box(box: FloatArray) -> FloatArray:
    """Guesses the (5, 2) landmarks of a face that looks at the camera and fills a (4,) box."""
    shares = np.array([[0.30, 0.40], [0.70, 0.40], [0.5, 0.60], [0.34, 0.78], [0.66, 0.78]])
    points = box[:2] + shares * (box[2:] - box[:2])
    return cast("FloatArray", points.astype(np.float32))


def surface(angle: ArrayLike, y: ArrayLike, *, over_nose: bool) -> FloatArray:
    """Returns the points of the face's surface.

    Args:
        angle: radians around the upright axis, 0 in the middle, positive to the picture's right.
        y: mm, of the same shape.
        over_nose: whether what lies on it is held away by the nose.

    Returns:
        (..., 3) float32 mm.
    """
    profile = _PROFILE_Z if over_nose else np.where(_PROFILE_Y < 50, _CHEEK_Z + 8, _PROFILE_Z)
    angle, y = np.asarray(angle), np.asarray(y)
    middle = np.interp(y, _PROFILE_Y, profile)
    cheek = np.interp(y, _PROFILE_Y, _CHEEK_Z)
    stands_out = cheek + (middle - cheek) * np.exp(-((angle / _RIDGE) ** 2))
    # The skull narrows towards its top, the jaw towards the chin.
    narrow = np.interp(y, [-90, -50, 0, 70, 120, 145], [0.84, 0.96, 1.0, 0.97, 0.80, 0.72])
    x = _HALF_WIDTH * narrow * np.sin(angle)
    z = _DEPTH * (np.cos(angle) - 1) + stands_out
    return np.stack([x, y, z], axis=-1).astype(np.float32)


def hanging(angle: ArrayLike, y: ArrayLike, pose: Pose, swing: float) -> FloatArray:
    """Returns the points of a flat mask that hangs down from the nearer ear, its length upright.

    Args:
        angle: radians across the mask; the end towards the ear is the upper one.
        y: mm down the mask, of the same shape.
        pose: of the head; the mask hangs straight down in the picture, however the head is held.
        swing: radians the mask is turned out of the picture's plane.

    Returns:
        (..., 3) float32 mm.
    """
    angle, y = np.asarray(angle), np.asarray(y)
    side = pose.nearer_side
    below = _LOOP + _HALF_WIDTH * (_HALF_LENGTH - side * angle)
    across = side * (y - _MIDDLE)
    ear = (EAR + np.array([_OFF_CHEEK, 0, 0])) * np.array([side, 1, 1])
    # Rows of the rotation are the picture's axes, seen from the head.
    outward = np.array([np.cos(swing), 0, np.sin(swing)]) @ pose.rotation
    points = ear + across[..., np.newaxis] * outward + below[..., np.newaxis] * pose.rotation[1]
    return cast("FloatArray", points.astype(np.float32))


def normals(points: FloatArray) -> FloatArray:
    """Returns the outward unit normals of a (rows by y, columns by angle, 3) grid of points."""
    down = np.gradient(points, axis=0)
    across = np.gradient(points, axis=1)
    found = np.cross(across, down)
    lengths = np.linalg.norm(found, axis=-1, keepdims=True)
    return cast("FloatArray", found / np.maximum(lengths, 1e-9))
