"""Makes `samples/` from pictures that scikit-image ships: portrait, masked portrait, coffee, video.

    pip install scikit-image && python tools/build_samples.py

The mask is drawn by this program, fitted by hand to this one portrait. `samples/README.md` says
where each picture comes from.
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import splev, splprep
from skimage import data

from maskdet.media.picture_files import write_picture
from maskdet.media.recording.writer import VideoWriter

SAMPLES = Path(__file__).resolve().parents[1] / "samples"

# The mask is drawn on the face enlarged four times, so that its edges come out smooth.
ENLARGE = 4
FACE_LEFT, FACE_TOP, FACE_RIGHT, FACE_BOTTOM = 140, 40, 320, 240

# Points on the enlarged face: the mask's outline clockwise from the left cheek, its pleats and its
# ear loops.
OUTLINE = [
    (168, 318), (215, 306), (270, 290), (332, 276), (395, 292), (455, 310), (516, 320),
    (512, 380), (500, 440), (474, 496), (430, 540), (380, 566), (328, 572),
    (276, 564), (232, 538), (198, 494), (178, 440), (168, 380),
]  # fmt: skip
PLEATS = [
    [(172, 372), (250, 384), (334, 390), (420, 386), (512, 374)],
    [(176, 424), (250, 442), (334, 450), (420, 444), (506, 426)],
    [(190, 474), (256, 496), (334, 506), (412, 498), (490, 476)],
]
LOOPS = [[(170, 322), (150, 330), (134, 340)], [(182, 452), (158, 412), (136, 362)],
         [(514, 324), (532, 332), (548, 342)], [(504, 452), (530, 416), (548, 370)]]  # fmt: skip
BLUE = (208, 188, 150)
# Video: seconds of bare face, then of masked face, at 24 frames a second.
FRAME_RATE, FRAMES = 24.0, 48
VIDEO_WIDTH, VIDEO_HEIGHT = 480, 360


def smooth(points: list[tuple[int, int]], *, closed: bool) -> NDArray[np.int32]:
    """Returns (N, 1, 2) points of a spline through the given ones."""
    x, y = np.array(points, float).T
    if closed:
        x, y = np.append(x, x[0]), np.append(y, y[0])
    spline, _ = splprep([x, y], s=0, per=closed, k=min(3, len(points) - 1))
    curve = np.stack(splev(np.linspace(0, 1, 200), spline), axis=1)
    return np.round(curve).astype(np.int32).reshape(-1, 1, 2)


def add_mask(portrait: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Returns the portrait, (512, 512, 3) uint8 BGR, with a surgical mask drawn on the face."""
    region = portrait[FACE_TOP:FACE_BOTTOM, FACE_LEFT:FACE_RIGHT]
    face = cv2.resize(region, None, fx=ENLARGE, fy=ENLARGE, interpolation=cv2.INTER_CUBIC)
    height, width = face.shape[:2]
    for loop in LOOPS:
        cv2.polylines(face, [smooth(loop, closed=False)], False, (225, 222, 218), 5, cv2.LINE_AA)

    cloth = np.full_like(face, BLUE, dtype=np.float32)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    # Light falls from the upper left: the far cheek and the underside of the chin are darker.
    light = 1.12 - 0.35 * np.abs((columns - 310) / 200) ** 2 - 0.30 * ((rows - 420) / 200)
    for pleat in PLEATS:
        fold = np.zeros((height, width), np.float32)
        cv2.polylines(fold, [smooth(pleat, closed=False)], False, 1.0, 5, cv2.LINE_AA)
        light -= 0.25 * cv2.GaussianBlur(fold, (0, 0), 3)
        light += 0.12 * np.roll(cv2.GaussianBlur(fold, (0, 0), 4), 9, axis=0)
    generator = np.random.default_rng(0)
    light += cv2.GaussianBlur(generator.normal(0, 0.05, (height, width)), (0, 0), 1.5)
    cloth *= light[..., np.newaxis]

    outline = np.zeros((height, width), np.float32)
    cv2.fillPoly(outline, [smooth(OUTLINE, closed=True)], 1.0, cv2.LINE_AA)
    shadow = cv2.GaussianBlur(outline, (0, 0), 7)[..., np.newaxis] * 0.35
    alpha = cv2.GaussianBlur(outline, (0, 0), 1.2)[..., np.newaxis]
    masked = face * (1 - shadow) * (1 - alpha) + np.clip(cloth, 0, 255) * alpha

    picture = portrait.copy()
    picture[FACE_TOP:FACE_BOTTOM, FACE_LEFT:FACE_RIGHT] = cv2.resize(
        masked.astype(np.uint8), (region.shape[1], region.shape[0]), interpolation=cv2.INTER_AREA
    )
    return picture


def write_video(path: Path, bare: NDArray[np.uint8], masked: NDArray[np.uint8]) -> None:
    """Writes a camera that drifts over the portrait, bare in the first half, then masked."""
    with VideoWriter(path, FRAME_RATE) as video:
        for index in range(FRAMES):
            picture = bare if index < FRAMES // 2 else masked
            phase = 2 * np.pi * index / FRAMES
            scale = 1.2 + 0.1 * np.sin(phase)
            centre_x, centre_y = 225 + 15 * np.cos(phase), 155 + 10 * np.sin(2 * phase)
            view = np.array(
                [
                    [scale, 0, VIDEO_WIDTH / 2 - scale * centre_x],
                    [0, scale, VIDEO_HEIGHT / 2 - scale * centre_y],
                ]
            )
            frame = cv2.warpAffine(
                picture, view, (VIDEO_WIDTH, VIDEO_HEIGHT), borderMode=cv2.BORDER_REFLECT
            )
            video.write(frame)


def main() -> None:
    """Writes every sample."""
    portrait = cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2BGR)
    masked = add_mask(portrait)
    write_picture(SAMPLES / "astronaut.jpg", portrait)
    write_picture(SAMPLES / "astronaut_masked.jpg", masked)
    write_picture(SAMPLES / "coffee.jpg", cv2.cvtColor(data.coffee(), cv2.COLOR_RGB2BGR))
    write_video(SAMPLES / "astronaut.mp4", portrait, masked)


if __name__ == "__main__":
    main()
