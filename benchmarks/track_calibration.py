"""How sure tracks are beside how right they are, and what a mask that moves does to their labels.

    python benchmarks/track_calibration.py --data ../shared/data [--model MODEL]

Videos are of two kinds. Real ones in which everyone is in one state (``videos/no_mask.mp4``,
``videos/one_masked.mp4``). And videos made from photographs of bare faces, as a hand-held camera
would give them: the picture drifts, trembles and is compressed, with bursts of motion blur. In half
of them the face stays bare for four seconds; in the others a mask is drawn on it, which is worn
right for two seconds, adjusted (pulled under the nose and up again within 0.8 seconds), worn right
again, and at last pulled down over 20 frames to stay under the nose for three seconds.

Printed are, over all frames whose state is known, the calibration error of the frames' own answers
and of their tracks' (of the labels shown), the spread of the confidences that captions show, how
often an adjustment changed a label, and how long one pulled down took to be called so. What a model
of two labels says of a mask under the nose is not counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.dataset.fabric import CANVAS, Fabric, draw_fabric
from maskdet.dataset.head import LOWEST, fit_pose
from maskdet.dataset.render import put_on
from maskdet.detections import INCORRECT_LABEL, MASK_LABEL, NO_MASK_LABEL
from maskdet.media.inputs.decoding import decode_picture, read_picture
from maskdet.media.sources import open_source
from maskdet.metrics import BINS
from maskdet.vision.faces.yunet import YunetFaceDetector
from maskdet.vision.networks import NetworkOptions, load_detector
from maskdet.vision.pipeline import Follower, MaskDetector

RATE = 25
SIDE = 420  # pixels of a made frame's shorter side
PULL = 40.0  # mm by which a mask is pulled under the nose
OVER_NOSE = 10.0  # mm up to which the nose holds it away from the face
BLUR_CHANCE, BLUR_FRAMES = 0.04, (1, 5)
UNKNOWN = "unknown"

Frame = NDArray[np.uint8]


@dataclass
class Tally:
    """What was said of the frames whose state is known."""

    own: list[tuple[float, bool]] = field(default_factory=list)
    track: list[tuple[float, bool]] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)
    flips: int = 0
    frames: int = 0


def pulled(fabric: Fabric, millimetres: float) -> Fabric:
    """Returns a mask moved down the face."""
    down = np.array([[1, 0, 0], [0, 1, millimetres / LOWEST * CANVAS]], np.float32)
    moved = {
        name: cv2.warpAffine(getattr(fabric, name), down, (CANVAS, CANVAS))
        for name in ("colour", "alpha", "height")
    }
    corners = (
        None if fabric.corners is None else fabric.corners + np.array([0, millimetres], np.float32)
    )
    return replace(fabric, **moved, corners=corners, over_nose=millimetres < OVER_NOSE)


def course() -> tuple[list[float], list[str]]:
    """Returns for each frame by how much a mask is pulled down, in mm, and its state."""
    still, shift = 2 * RATE, np.linspace(0, PULL, 8)
    places = [0.0] * still + [*shift, *[PULL] * 4, *shift[::-1]] + [0.0] * still
    states = [MASK_LABEL] * len(places)
    slowly = np.linspace(0, PULL, 20)
    # From where on the nose is bare nobody can say to the frame.
    states += [MASK_LABEL if at < OVER_NOSE else UNKNOWN for at in slowly]
    places += [*slowly, *[PULL] * (3 * RATE)]
    return places, states + [INCORRECT_LABEL] * (3 * RATE)


def camera(pictures: Iterator[Frame], seed: int) -> Iterator[Frame]:
    """Gives pictures a hand-held camera's movement, blur and compression."""
    random = np.random.default_rng(seed)
    drift, left, kernel = np.zeros(3), 0, np.ones((1, 1), np.float32)
    for picture in pictures:
        height, width = picture.shape[:2]
        drift = 0.97 * drift + random.normal(0, (0.004, 0.004, 0.002))
        scale = 1.04 + drift[2]
        matrix = np.array(
            [
                [scale, 0, (0.5 - scale / 2 + drift[0]) * width],
                [0, scale, (0.5 - scale / 2 + drift[1]) * height],
            ]
        )
        frame = cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)
        if left == 0 and random.random() < BLUR_CHANCE:
            left = int(random.integers(*BLUR_FRAMES))
            length = int(random.uniform(0.02, 0.06) * width) | 1
            line = np.zeros((length, length), np.float32)
            line[length // 2] = 1 / length
            turn = cv2.getRotationMatrix2D((length // 2, length // 2), random.uniform(0, 180), 1)
            kernel = cv2.warpAffine(line, turn, (length, length))
            kernel /= kernel.sum()
        if left:
            left -= 1
            frame = cv2.filter2D(frame, -1, kernel)
        noisy = frame + random.normal(0, 3, frame.shape)
        quality = [cv2.IMWRITE_JPEG_QUALITY, 60]
        _, data = cv2.imencode(".jpg", np.clip(noisy, 0, 255).astype(np.uint8), quality)
        yield decode_picture(data.tobytes(), "a made frame")


def watch(
    frames: Iterator[Frame], states: list[str], detector: MaskDetector, tally: Tally
) -> tuple[bool, float | None]:
    """Follows the surest face and counts.

    Returns:
        Whether an adjustment changed the label, and after how many seconds under the nose the
        label was the right one for good, ``None`` for never.
    """
    follower, labels = Follower(detector), detector.labels
    said: list[str | None] = []
    for number, (frame, state) in enumerate(zip(frames, states, strict=True)):
        xyxy, scores = detector.find_faces(frame)
        # They come surest first. A hand that passes for a face now and then may be larger.
        surest = xyxy[:1], scores[:1]
        own = detector.classify(frame, *surest)
        found = follower.classify(frame, *surest, number / RATE)
        said.append(found.predicted_labels[0] if len(found) else None)
        if len(found) == 0 or state not in labels:
            continue
        tally.frames += 1
        tally.flips += len(said) > 1 and None is not said[-2] != said[-1]
        tally.own.append((float(own.confidences[0]), own.predicted_labels[0] == state))
        tally.track.append((float(found.confidences[0]), said[-1] == state))
        tally.shown.append(round(100 * float(found.confidences[0]), 2))
    if INCORRECT_LABEL not in states:
        return False, None
    begin = states.index(INCORRECT_LABEL)
    adjusted = any(one not in (MASK_LABEL, None) for one in said[RATE : states.index(UNKNOWN)])
    wrong = [n for n in range(begin, len(said)) if said[n] not in (INCORRECT_LABEL, None)]
    late = (wrong[-1] + 1 - begin) / RATE if wrong else 0.0
    return adjusted, late if late < 3 else None


def error_of(pairs: list[tuple[float, bool]]) -> float:
    """Returns the expected calibration error of (confidence, right)."""
    sure, right = (np.array(column, float) for column in zip(*pairs, strict=True))
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    gaps = [
        (bins == n).sum() * abs(sure[bins == n].mean() - right[bins == n].mean())
        for n in np.unique(bins)
    ]
    return float(np.sum(gaps) / len(sure))


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--model", type=click.Path(exists=True, path_type=Path))
@click.option("--photographs", default=24, show_default=True)
def main(data: Path, model: Path | None, photographs: int) -> None:
    """Prints calibration, spread of the captions, and what adjusting a mask does."""
    detector = load_detector(NetworkOptions(model=model))
    tally, adjusted, delays = Tally(), [], []
    for name, state in (("no_mask", NO_MASK_LABEL), ("one_masked", MASK_LABEL)):
        source = open_source(str(data / "videos" / f"{name}.mp4"))
        frames = [frame.image for frame in source]
        watch(iter(frames), [state] * len(frames), detector, tally)
    finder = YunetFaceDetector(data / "weights/face_detection_yunet_2023mar.onnx")
    made = 0
    for path in sorted((data / "classification/balaji/without_mask").iterdir())[::17]:
        picture = read_picture(path)
        scale = SIDE / min(picture.shape[:2])
        picture = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        boxes, _, landmarks = finder.detect_landmarks(picture)
        if len(boxes) != 1 or boxes[0, 3] - boxes[0, 1] < SIDE / 3:
            continue
        pose, random = fit_pose(landmarks[0]), np.random.default_rng(made)
        if made % 2:
            states = [NO_MASK_LABEL] * (4 * RATE)
            pictures = iter([picture] * len(states))
        else:
            kind = ("surgical", "cloth", "kn95")[made // 2 % 3]
            fabric = draw_fabric(kind, "worn", random)
            places, states = course()
            worn = {at: put_on(picture, pose, pulled(fabric, at)) for at in set(places)}
            pictures = iter([worn[at] for at in places])
        changed, late = watch(camera(pictures, made), states, detector, tally)
        if made % 2 == 0:
            adjusted.append(changed)
            delays.append(late)
        made += 1
        if made == photographs:
            break
    print(f"{tally.frames} frames of known state, {made} made videos and 2 real ones")
    for name, pairs in (("frames by themselves", tally.own), ("tracks", tally.track)):
        right = np.mean([hit for _, hit in pairs])
        sure = np.mean([one for one, _ in pairs])
        print(
            f"{name}: calibration error {error_of(pairs):.3f}, {right:.3f} right, mean confidence "
            f"{sure:.3f}"
        )
    values, counts = np.unique(tally.shown, return_counts=True)
    commonest = values[counts.argmax()]
    print(
        f"captions: {len(values)} different ones, the commonest ({commonest:.2f}%) in "
        f"{counts.max() / counts.sum():.0%} of the frames; at least 98% in "
        f"{np.mean(np.array(tally.shown) >= 98):.0%}"
    )
    print(f"flips: {tally.flips}; adjustments that changed a label: {sum(adjusted)} of {made // 2}")
    if INCORRECT_LABEL in detector.labels:
        told = [one for one in delays if one is not None]
        middle = f"{np.median(told):.2f}" if told else "-"
        print(f"pulled down: {len(told)} of {len(delays)} told, after {middle} s (median)")


if __name__ == "__main__":
    main()
