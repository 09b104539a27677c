"""Counts the faces that --blur-faces leaves clear, on boxed photographs and on pans across them.

    python benchmarks/blurring.py --images ../shared/data/detection/valid/images \
        --labels ../shared/data/detection/valid/labels

The labels are YOLO text files. A face counts as clear if less than four fifths of the ellipse in
its labelled box are blurred. Beside it stands how much of the pictures is blurred outside the
labelled boxes (grown by three tenths on every side, as blurring covers hair and chin), which counts
faces that nobody has labelled, too. With `--pans N` a camera that shakes moves across each of the
first N photographs that have faces (`--at-least` so many), which gives a video whose every face is
known; a face that is clear in one of its frames has been seen. There, faces of which less than half
is in view are left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
import cv2
import numpy as np

from maskdet.annotations import BoxedPhotograph
from maskdet.annotations.yolo import read_yolo
from maskdet.boxes import clip_boxes
from maskdet.detect.veiling import veiled
from maskdet.detections import MASK_LABEL, NO_MASK_LABEL, FloatArray
from maskdet.media.blurring import blurred_pixels
from maskdet.media.frames import Frame, Kind, Source, UInt8Array
from maskdet.media.inputs.decoding import read_picture
from maskdet.media.inputs.pictures import PictureSource
from maskdet.stream import StreamOptions, detect_frames
from maskdet.vision.networks import NetworkOptions, load_detector
from maskdet.vision.pipeline import MaskDetector

CLASS_NAMES = {0: NO_MASK_LABEL, 1: MASK_LABEL}
COVERED = 0.8  # share of a face's ellipse from which on it counts as blurred
GROWN = 1.6  # labelled boxes, before the rest of a picture is measured
PAN_FRAMES, PAN_RATE = 40, 25.0
PAN_SHARE = 0.6  # of the photograph's sides, what the camera shows at a time
PAN_WIDTH = 854  # pixels
SEED = 3  # of the shaking and the noise


@dataclass
class Tally:
    """What was blurred of labelled faces, and outside them.

    Attributes:
        shares: of each face in each frame, the share of its ellipse that is blurred.
        heights: of those faces in pixels.
        people: which face of which photograph each is.
        outside: for each frame, the share of its pixels blurred outside all labelled faces.
    """

    shares: list[float] = field(default_factory=list)
    heights: list[float] = field(default_factory=list)
    people: list[tuple[str, int]] = field(default_factory=list)
    outside: list[float] = field(default_factory=list)

    def add(
        self,
        name: str,
        boxes: FloatArray,
        numbers: Sequence[int],
        veil: FloatArray,
        size: UInt8Array,
    ) -> None:
        """Counts a frame."""
        height, width = size.shape[:2]
        blurred = blurred_pixels(veil, width, height)
        around = np.zeros((height, width), np.uint8)
        for box, number in zip(boxes, numbers, strict=True):
            face = _ellipse(box, width, height)
            around |= _ellipse(box, width, height, GROWN)
            self.shares.append(float(blurred[face > 0].mean()) if face.any() else 1.0)
            self.heights.append(float(box[3] - box[1]))
            self.people.append((name, number))
        self.outside.append(float((blurred & (around == 0)).mean()))

    def lines(self, what: str) -> Iterator[str]:
        """Yields the figures as lines for people."""
        shares, heights = np.array(self.shares), np.array(self.heights)
        clear = shares < COVERED
        yield (
            f"{what}: {clear.sum()} of {len(clear)} faces clear ({clear.mean():.1%}), "
            f"{(shares < 0.5).sum()} of them by more than half; "
            f"{np.mean(self.outside):.2%} of the pictures blurred outside faces"
        )
        people = set(self.people)
        if len(people) < len(self.people):
            seen = {one for one, is_clear in zip(self.people, clear, strict=True) if is_clear}
            yield f"  in one frame or more: {len(seen)} of {len(people)} people"
        for low, high in ((0, 24), (24, 48), (48, 10_000)):
            here = (heights >= low) & (heights < high)
            yield f"  {low} to {high} pixels high: {clear[here].sum()} of {here.sum()}"


def _ellipse(box: FloatArray, width: int, height: int, grown: float = 1.0) -> UInt8Array:
    mask = np.zeros((height, width), np.uint8)
    centre = (float(box[0] + box[2]) / 2, float(box[1] + box[3]) / 2)
    axes = (float(box[2] - box[0]) * grown, float(box[3] - box[1]) * grown)
    cv2.ellipse(mask, (centre, axes, 0.0), 1, -1)
    return mask


class Pan:
    """A photograph as a camera sees it that moves across it and shakes: a moving source.

    Args:
        photograph: with its boxes.
        live: whether frames may not be held back.
    """

    kind: Kind = "video"
    folder: Path | None = None
    frame_rate: float | None = PAN_RATE
    frame_count: int | None = PAN_FRAMES
    is_moving = True

    def __init__(self, photograph: BoxedPhotograph, *, live: bool) -> None:
        self.name = photograph.path.stem
        self.paths = (photograph.path,)
        self.is_live = live
        self.failures: list[str] = []
        self._picture = read_picture(photograph.path)
        height, width = self._picture.shape[:2]
        self._boxes = photograph.xyxy(width, height)
        random = np.random.default_rng(SEED)
        self._noise = random.normal(0, 4, (64, 64, 3))
        window = PAN_SHARE * np.array([width, height])
        self._scale = PAN_WIDTH / window[0]
        along = np.linspace(0, 1, PAN_FRAMES)[:, np.newaxis]
        shake = np.cumsum(random.normal(0, 0.002, (PAN_FRAMES, 2)), axis=0)
        room = np.array([width, height]) - window
        self._corners = np.clip(along + shake, 0, 1) * room
        self._size = (PAN_WIDTH, round(window[1] * self._scale))

    def __iter__(self) -> Iterator[Frame]:
        width, height = self._size
        for index, (left, top) in enumerate(self._corners):
            scale = self._scale
            move = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]], np.float32)
            image = cv2.warpAffine(self._picture, move, self._size, flags=cv2.INTER_LINEAR)
            noise = np.tile(self._noise, (height // 64 + 1, width // 64 + 1, 1))[:height, :width]
            noise = np.roll(noise, 7 * index, axis=1)
            image = np.clip(image + noise, 0, 255).astype(np.uint8)
            yield Frame(self.name, index, index / PAN_RATE, image)

    def faces(self, index: int) -> tuple[FloatArray, list[int]]:
        """Returns the boxes that are half in view in a frame, and their numbers."""
        corner = np.tile(self._corners[index], 2).astype(np.float32)
        boxes = (self._boxes - corner) * np.float32(self._scale)
        inside = clip_boxes(boxes, *self._size)
        visible = (inside[:, 2:] - inside[:, :2]).prod(axis=1)
        kept = np.flatnonzero(visible >= 0.5 * (boxes[:, 2:] - boxes[:, :2]).prod(axis=1))
        return inside[kept], kept.tolist()


def judge_pictures(detector: MaskDetector, photographs: Sequence[BoxedPhotograph]) -> Tally:
    """Counts the photographs' faces."""
    tally = Tally()
    paths = {str(photograph.path): photograph for photograph in photographs}
    source: Source = PictureSource([one.path for one in photographs], "photographs", "pictures")
    for seen in veiled(detect_frames([source], detector, StreamOptions())):
        height, width = seen.frame.image.shape[:2]
        boxes = paths[seen.frame.source].xyxy(width, height)
        assert seen.veiled is not None
        tally.add(seen.frame.source, boxes, range(len(boxes)), seen.veiled, seen.frame.image)
    return tally


def judge_pans(detector: MaskDetector, pans: Sequence[Pan]) -> Tally:
    """Counts the faces of every frame of the pans."""
    tally = Tally()
    for pan in pans:
        for seen in veiled(detect_frames([pan], detector, StreamOptions())):
            boxes, numbers = pan.faces(seen.frame.index)
            assert seen.veiled is not None
            tally.add(pan.name, boxes, numbers, seen.veiled, seen.frame.image)
    return tally


_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(help=__doc__)
@click.option("--images", type=_FOLDER, required=True, help="Folder of photographs.")
@click.option("--labels", type=_FOLDER, required=True, help="Folder of their YOLO label files.")
@click.option("--confidence", type=float, help="As that of maskdet detect.")
@click.option("--pans", type=int, default=0, help="Photographs that a camera moves across.")
@click.option("--at-least", type=int, default=1, help="Faces on these.", show_default=True)
def main(images: Path, labels: Path, confidence: float | None, pans: int, at_least: int) -> None:
    """Measures and prints."""
    photographs = list(read_yolo(images, labels, CLASS_NAMES))
    detector = load_detector(NetworkOptions(confidence=confidence), doubtful=True)
    for line in judge_pictures(detector, photographs).lines("photographs"):
        click.echo(line)
    chosen = [one for one in photographs if len(one.labels) >= at_least][:pans]
    for live in (False, True) if chosen else ():
        tally = judge_pans(detector, [Pan(one, live=live) for one in chosen])
        for line in tally.lines("pans, live" if live else "pans"):
            click.echo(line)


if __name__ == "__main__":
    main()
