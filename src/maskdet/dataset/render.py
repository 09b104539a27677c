"""Puts a flat mask onto a face: bent to its surface, lit as the face is, with its shadow."""

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.boxes import UInt8Array
from maskdet.dataset.fabric import CANVAS, Fabric
from maskdet.dataset.head import EAR, LOWEST, WIDEST, Pose, hanging, normals, surface
from maskdet.detections import FloatArray

# Points of the surface that are projected; between them it is taken to be flat.
_ROWS, _COLUMNS = 30, 45
# The mask is drawn at least this wide, then brought to the picture's size, to be smooth.
_WORK_WIDTH = 320
# A normal that points less towards the camera than this is on the far side.
_FACING = 0.06
_DARKEST = 0.5  # percent of a photograph's pixels that are taken to be black


def put_on(picture_bgr: UInt8Array, pose: Pose, fabric: Fabric) -> UInt8Array:
    """Returns a copy of a picture with a mask on one of its faces.

    Args:
        picture_bgr: (H, W, 3) uint8.
        pose: of the head.
        fabric: the mask.
    """
    scale = max(1.0, _WORK_WIDTH / (150 * pose.pixels_per_mm))
    angle, y = np.meshgrid(
        np.linspace(-WIDEST, WIDEST, _COLUMNS, dtype=np.float32),
        np.linspace(0, LOWEST, _ROWS, dtype=np.float32),
    )
    points = _points(fabric, pose, angle, y)
    facing = (normals(points) @ pose.rotation[2]).astype(np.float32)
    if fabric.swing is not None:
        facing = np.abs(facing)  # Cloth that hangs free shows either of its sides.
    visible = facing > _FACING
    placed = pose.project(points)
    margin = 0.12 * 150 * pose.pixels_per_mm
    corner = np.floor(placed[visible].min(axis=0) - margin).astype(int)
    corner = np.maximum(corner, 0)
    end = np.ceil(placed[visible].max(axis=0) + margin).astype(int)
    end = np.minimum(end, picture_bgr.shape[1::-1])
    if (end - corner < 4).any():
        return picture_bgr.copy()
    region = picture_bgr[corner[1] : end[1], corner[0] : end[0]].astype(np.float32)
    size = (round(region.shape[1] * scale), round(region.shape[0] * scale))
    factors = np.divide(size, region.shape[1::-1]).astype(np.float32)
    work = cv2.resize(region, size, interpolation=cv2.INTER_LINEAR)

    columns, rows, shade = _unproject((placed - corner) * factors, angle, y, facing, visible, size)
    colour = _sample(fabric.colour, columns, rows)
    alpha = _sample(fabric.alpha, columns, rows) * (shade > 0)
    relief = _sample(_relief(fabric.height), columns, rows)
    light = _light(work, np.clip(_sample(np.ones_like(fabric.alpha), columns, rows), 0, 1), alpha)
    face_width = 150 * pose.pixels_per_mm * float(factors[0])
    lit = colour * light * (relief * (0.72 + 0.30 * np.clip(shade, 0, 1)))[..., np.newaxis]
    # Where the mask ends, cloth turns away from the light.
    soft = cv2.GaussianBlur(alpha, (0, 0), max(0.6, face_width * 0.012))
    lit *= (0.86 + 0.14 * np.clip(2 * soft - 1, 0, 1))[..., np.newaxis]

    haze = _haze(picture_bgr)
    lit = haze + lit * (1 - haze / 255)

    shadowed = _cast_shadow(work, alpha, face_width)
    if fabric.corners is not None:
        shadowed = _draw_loops(shadowed, pose, fabric, (corner, factors), light, face_width)
    result = shadowed * (1 - alpha[..., np.newaxis]) + lit * alpha[..., np.newaxis]
    result = _soften_as(result, alpha, region, factors)
    native = region.shape[1::-1]
    # Outside the mask only the difference is scaled, so that the photograph keeps its detail.
    changed = region + cv2.resize(result - work, native, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(alpha, native, interpolation=cv2.INTER_AREA)[..., np.newaxis]
    covered = cv2.resize(result, native, interpolation=cv2.INTER_AREA)
    final = changed * (1 - mask) + covered * mask
    whole = picture_bgr.copy()
    whole[corner[1] : end[1], corner[0] : end[0]] = np.clip(final, 0, 255).round()
    return whole


def _points(fabric: Fabric, pose: Pose, angle: FloatArray, y: FloatArray) -> FloatArray:
    """Returns where points of a mask are, (..., 3) mm of the head."""
    if fabric.swing is not None:
        return hanging(angle, y, pose, fabric.swing)
    return surface(angle, y - fabric.lift, over_nose=fabric.over_nose)


def _unproject(
    placed: FloatArray,
    angle: FloatArray,
    y: FloatArray,
    facing: FloatArray,
    visible: NDArray[np.bool_],
    size: tuple[int, int],
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Finds for each pixel the canvas point that lies there, and how the surface faces."""
    # The surface is covered with points closer together than pixels, and each pixel takes the mean
    # of those that fall on it or beside it.
    dense = (round(1.5 * max(size)),) * 2
    values = (
        (angle + WIDEST) / (2 * WIDEST) * (CANVAS - 1),
        y / LOWEST * (CANVAS - 1),
        facing,
        *np.moveaxis(placed, -1, 0),
        visible,
    )
    columns, rows, faces, left, top, seen = (
        cv2.resize(value.astype(np.float32), dense, interpolation=cv2.INTER_LINEAR).ravel()
        for value in values
    )
    left, top = np.round(left).astype(int), np.round(top).astype(int)
    inside = (seen > 0.99) & (left >= 0) & (top >= 0) & (left < size[0]) & (top < size[1])
    pixel = top[inside] * size[0] + left[inside]

    def spread(weights: FloatArray | None) -> FloatArray:
        total = np.bincount(pixel, weights, minlength=size[0] * size[1])
        return cast(
            "FloatArray", cv2.blur(total.reshape(size[1], size[0]).astype(np.float32), (3, 3))
        )

    count = spread(None)
    covered = count > 1e-6
    found = (
        np.where(covered, spread(of[inside]) / np.maximum(count, 1e-6), -1)
        for of in (columns, rows, faces)
    )
    canvas_columns, canvas_rows, facing_there = (one.astype(np.float32) for one in found)
    return canvas_columns, canvas_rows, facing_there


def _sample(canvas: FloatArray, columns: FloatArray, rows: FloatArray) -> FloatArray:
    return cast(
        "FloatArray",
        cv2.remap(
            np.ascontiguousarray(canvas, np.float32),
            columns,
            rows,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=0,
        ),
    )


def _relief(height: FloatArray) -> FloatArray:
    """Returns how folds catch light from above: 1 on the flat, less on what faces down."""
    slope = cv2.GaussianBlur(height, (0, 0), 1.2)
    down = np.gradient(slope, LOWEST / CANVAS, axis=0)
    across = np.gradient(slope, 2 * WIDEST * 60 / CANVAS, axis=1)
    return cast("FloatArray", np.clip(1 - 0.30 * down - 0.12 * across, 0.68, 1.18))


def _light(work: FloatArray, face: FloatArray, alpha: FloatArray) -> FloatArray:
    """Estimates the light on the mask, (H, W, 3): what white cloth would look like there.

    Its course over the face is that of the face itself, smoothed; its level lies between that of
    the skin, times what cloth reflects more, and of the brightest things around; its tint is a
    part of the surroundings'.
    """
    grey = cv2.cvtColor(work, cv2.COLOR_BGR2GRAY)
    on_face = face * (alpha > 0.5)
    if on_face.sum() < 8:
        on_face = np.ones_like(grey)
    sigma = max(2.0, 0.16 * float(np.sqrt(on_face.sum())))
    weight = cv2.GaussianBlur(on_face, (0, 0), sigma) + 1e-3
    smooth = (cv2.GaussianBlur(grey * on_face, (0, 0), sigma) + 1e-3 * grey.mean()) / weight
    skin = float(np.median(grey[on_face > 0.5])) if (on_face > 0.5).any() else float(grey.mean())
    course = np.clip(smooth / max(skin, 1), 0.5, 1.45) ** 0.8
    bright = float(np.percentile(grey, 97))
    level = np.clip(0.6 * bright + 0.4 * (1.5 * skin + 15), 45, 255)
    tint = work.reshape(-1, 3).mean(axis=0) + 8
    tint = (tint / tint.mean()) ** 0.2
    return cast("FloatArray", (level * course[..., np.newaxis] * tint).astype(np.float32))


def _haze(picture_bgr: UInt8Array) -> float:
    """Returns the grey that black is in a photograph: above 0 where it is washed out."""
    grey = cv2.cvtColor(picture_bgr, cv2.COLOR_BGR2GRAY)
    return float(np.percentile(grey, _DARKEST))


def _cast_shadow(work: FloatArray, alpha: FloatArray, face_width: float) -> FloatArray:
    """Darkens the skin along the mask, most below it."""
    below = np.array([[1, 0, 0], [0, 1, 0.018 * face_width]], np.float32)
    moved = cv2.warpAffine(alpha, below, alpha.shape[::-1])
    shadow = cv2.GaussianBlur(np.maximum(moved, alpha), (0, 0), max(0.8, 0.016 * face_width))
    return cast("FloatArray", work * (1 - 0.38 * shadow * (1 - alpha))[..., np.newaxis])


def _draw_loops(
    work: FloatArray,
    pose: Pose,
    fabric: Fabric,
    place: tuple[NDArray[np.int_], FloatArray],
    light: FloatArray,
    face_width: float,
) -> FloatArray:
    """Draws the ear loops on the sides that can be seen."""
    corner, factors = place
    layer = np.zeros(work.shape[:2], np.uint8)
    for side, pair in ((-1, fabric.corners[:2]), (1, fabric.corners[2:])):  # type: ignore[index]
        if pose.outward(side) < -0.12 or (fabric.swing is not None and side != pose.nearer_side):
            continue
        ear = EAR * np.array([side, 1, 1])
        for (angle, y), lift in zip(pair, (0.0, 16.0), strict=True):
            start = _points(fabric, pose, angle, y)
            target = ear + np.array([0, lift, 0])
            share = np.linspace(0, 1, 12)[:, np.newaxis]
            bulge = np.array([side * 5.0, 0, 0]) * 4 * share * (1 - share)
            path = start + share * (target - start) + bulge
            pixels = (pose.project(path.astype(np.float32)) - corner) * factors
            width = max(1, round(0.011 * face_width))
            # It goes behind the ear, or under the hair: nobody knows where, so it fades.
            fixed = np.round(pixels * 16).astype(int).tolist()
            for index in reversed(range(len(fixed) - 1)):
                value = round(255 * min(1.0, 2.0 * (1 - (index + 0.5) / (len(fixed) - 1))))
                cv2.line(layer, fixed[index], fixed[index + 1], value, width, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(layer, (0, 0), 0.7).astype(np.float32)[..., np.newaxis] / 255 * 0.85
    return cast("FloatArray", work * (1 - soft) + np.array(fabric.loops) * light * soft)


def _soften_as(
    result: FloatArray, alpha: FloatArray, region: FloatArray, factors: FloatArray
) -> FloatArray:
    """Gives the mask the sharpness and the noise of the photograph."""
    grey = cv2.cvtColor(region, cv2.COLOR_BGR2GRAY)
    detail = float(cv2.Laplacian(grey, cv2.CV_32F).std())
    # A sharp photograph has a deviation of 15 and more, a blurred one of 3.
    sigma = float(factors[0]) * float(np.interp(detail, [2, 6, 15], [1.5, 0.7, 0.35]))
    blurred = cv2.GaussianBlur(result, (0, 0), max(0.3, sigma))
    grain = float(np.median(np.abs(grey - cv2.medianBlur(grey, 3)))) * 1.2
    noise = np.random.default_rng(0).normal(0, min(grain, 6.0), region.shape[:2])
    noise = cv2.resize(noise.astype(np.float32), result.shape[1::-1])
    near = cv2.dilate(alpha, np.ones((3, 3), np.uint8))[..., np.newaxis]
    return cast("FloatArray", result * (1 - near) + (blurred + noise[..., np.newaxis]) * near)
