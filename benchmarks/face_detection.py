"""Measures face detectors on boxed photographs: average precision, recall, milliseconds.

    python benchmarks/face_detection.py --images DIR --labels DIR --yunet FILE

The labels are YOLO text files, class 0 a bare face and class 1 a masked one, completed for the
photographs that `completed_labels.py` knows unless told not to. The networks take
turns, a few photographs each: a busy moment of the machine strikes them alike, and each runs with
its weights in the processor's cache, as in use. Milliseconds are of processor time, at the
network's default confidence. The tables are printed as Markdown; `--card` also writes the figures
into the bundled detector's card.
"""

import json
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from completed_labels import IGNORED, completed
from maskdet.annotations import BoxedPhotograph
from maskdet.annotations.photographs import find_pictures
from maskdet.annotations.yolo import read_yolo
from maskdet.assets import bundled
from maskdet.boxes import intersection_over_union
from maskdet.detections import MASK_LABEL, NO_MASK_LABEL, FloatArray
from maskdet.media.inputs.decoding import read_picture
from maskdet.train.faces.measure import FaceOutcome
from maskdet.vision.faces.detector import FaceDetector
from maskdet.vision.faces.loading import face_detector_folder, find_card, load_face_detector
from maskdet.vision.faces.ssd import SsdFaceDetector
from maskdet.vision.faces.tiles import TiledFaceDetector, parse_tiles
from maskdet.vision.faces.yunet import YunetFaceDetector
from maskdet.vision.preprocessing import UInt8Array

CLASS_NAMES = {0: NO_MASK_LABEL, 1: MASK_LABEL}
CONFIDENCE_FLOOR = 0.01  # for the average precision; what the Caffe model itself cuts at
HEIGHT_CLASSES = ((0, 32), (32, 64), (64, 128), (128, 100_000))  # pixels in the photograph
SEED = 7  # of the pictures without faces
CLOSE_VIEWS = 40  # of each scene
CUT_OUT = 192  # pixels a side
TURN = 10  # photographs that a network looks at before the next one does


@dataclass
class Contestant:
    """A network at an input size, with what it found.

    Attributes:
        name: of the network.
        size: of its input in pixels, and how photographs are cut into tiles.
        floor: the network at `CONFIDENCE_FLOOR`; its boxes are judged.
        usual: the network at its default confidence; its time is taken.
        seconds: of processor time, one a photograph.
        outcomes: one a photograph.
        false_faces: boxes in pictures without faces, by kind of picture.
    """

    name: str
    size: int | str
    floor: FaceDetector
    usual: FaceDetector
    seconds: list[float] = field(default_factory=list)
    outcomes: list[FaceOutcome] = field(default_factory=list)
    false_faces: dict[str, int] = field(default_factory=dict)

    @property
    def milliseconds(self) -> float:
        """Median time of a photograph."""
        return 1000 * statistics.median(self.seconds)

    @property
    def outcome(self) -> FaceOutcome:
        """What became of all photographs' faces."""
        return FaceOutcome.together(self.outcomes)


def contestants(
    faces: Sequence[str],
    precisions: Sequence[str],
    sizes: Sequence[int],
    tiles: Sequence[str],
    yunet: Path | None,
    yunet_sizes: Sequence[int],
) -> Iterator[Contestant]:
    """Loads every network at every size."""
    for face in faces:
        folder = face_detector_folder(None if face == "bundled" else face)
        for precision in precisions:
            for size in sizes:
                floor, usual = (
                    load_face_detector(folder, confidence=cut, precision=precision, face_size=size)
                    for cut in (CONFIDENCE_FLOOR, None)
                )
                # What the network really runs at: the nearest to what was asked that it can do.
                actual = floor.size if isinstance(floor, SsdFaceDetector) else size
                yield Contestant(f"{face} {precision}", actual, floor, usual)
                for text in tiles if face == "bundled" else ():
                    grid = parse_tiles(text)
                    if grid is not None:
                        yield Contestant(
                            f"{face} {precision}",
                            f"{actual}, tiles {text}",
                            TiledFaceDetector(floor, grid),
                            TiledFaceDetector(usual, grid),
                        )
    if yunet is not None:
        for size in yunet_sizes:
            floor, usual = (
                YunetFaceDetector(yunet, confidence=cut, face_size=size)
                for cut in (CONFIDENCE_FLOOR, None)
            )
            yield Contestant("YuNet", size, floor, usual)


def without_faces(
    photographs: Sequence[BoxedPhotograph], scenes: Path | None
) -> Iterator[tuple[str, UInt8Array]]:
    """Yields pictures that show no face: scenes, noise, text, food, parts between labelled faces.

    Scenes are shown whole and as close views, whose sides are a tenth of theirs to all of them.

    The parts are looked at blindly: a face nobody has labelled counts against every network alike.
    """
    random = np.random.default_rng(SEED)
    for path in find_pictures(scenes) if scenes is not None else ():
        picture = read_picture(path)
        yield "scenes", picture
        height, width = picture.shape[:2]
        for _ in range(CLOSE_VIEWS):
            side = int(min(height, width) * 10 ** random.uniform(-1, 0))
            left, top = (int(random.integers(0, length - side + 1)) for length in (width, height))
            yield "close views of scenes", picture[top : top + side, left : left + side]
    random = np.random.default_rng(SEED)
    for level in (20, 60, 120):
        for _ in range(5):
            noise = random.normal(128, level, (480, 640, 3))
            yield "noise", np.clip(noise, 0, 255).astype(np.uint8)
    for scale in (0.5, 0.8, 1.5, 3.0, 6.0):
        page = np.full((480, 640, 3), 245, np.uint8)
        for line in range(1, int(16 / scale) + 2):
            letters = "".join(random.choice(list("abcdefgehOQ08 ,.")) for _ in range(60))
            place = (5, int(28 * line * scale))
            cv2.putText(page, letters, place, cv2.FONT_HERSHEY_SIMPLEX, scale, (20, 20, 20), 2)
        yield "text", page
    yield "food", read_picture(bundled("samples") / "coffee.jpg")
    for photograph in photographs:
        picture = read_picture(photograph.path)
        height, width = picture.shape[:2]
        boxes = photograph.xyxy(width, height)
        for _ in range(20):
            left, top = (
                random.integers(0, max(1, width - CUT_OUT)),
                random.integers(0, max(1, height - CUT_OUT)),
            )
            window = np.array([[left, top, left + CUT_OUT, top + CUT_OUT]], np.float32)
            if not intersection_over_union(window, boxes).any():
                yield "cut-outs", picture[top : top + CUT_OUT, left : left + CUT_OUT]
                break


def run(
    networks: Sequence[Contestant], photographs: Sequence[BoxedPhotograph], scenes: Path | None
) -> None:
    """Lets every network look at every photograph, and at what shows no face."""
    for first in range(0, len(photographs), TURN):
        turn = photographs[first : first + TURN]
        frames = [read_picture(photograph.path) for photograph in turn]
        for network in networks:
            network.usual.detect(frames[0])
            for frame in frames:
                start = time.process_time()
                network.usual.detect(frame)
                network.seconds.append(time.process_time() - start)
            for frame, photograph in zip(frames, turn, strict=True):
                boxes = photograph.xyxy(frame.shape[1], frame.shape[0])
                counts = np.array([label != IGNORED for label in photograph.labels], bool)
                outcome = FaceOutcome.of(
                    *network.floor.detect(frame), boxes[counts], boxes[~counts]
                )
                network.outcomes.append(outcome)
    for kind, picture in without_faces(photographs, scenes):
        for network in networks:
            found = len(network.usual.detect(picture)[1])
            network.false_faces[kind] = network.false_faces.get(kind, 0) + found


def _table(header: Sequence[str], rows: Iterator[Sequence[object]]) -> None:
    click.echo(f"\n| {' | '.join(header)} |\n{'| --- ' * len(header)}|")
    for row in rows:
        click.echo(f"| {' | '.join(str(cell) for cell in row)} |")


def print_tables(
    networks: Sequence[Contestant], masked: NDArray[np.bool_], confidences: Sequence[float]
) -> None:
    """Prints average precision and time, then recall by height at every confidence."""
    kinds = list(networks[0].false_faces)
    _table(
        ("network", "input", "average precision", "ms", "default confidence", "precision",
         "recall", "balances at", *(f"false faces: {kind}" for kind in kinds)),
        (
            (
                network.name,
                network.size,
                f"{network.outcome.average_precision:.3f}",
                f"{network.milliseconds:.1f}",
                usual := network.usual.default_confidence,
                f"{network.outcome.precision(usual):.3f}",
                f"{network.outcome.recall(usual):.3f}",
                network.outcome.balance(),
                *(network.false_faces[kind] for kind in kinds),
            )
            for network in networks
        ),
    )  # fmt: skip
    groups = dict(_groups(networks[0].outcome.heights, masked))
    names = [f"{name} ({chosen.sum()})" for name, chosen in groups.items()]
    _table(
        ("network", "input", "confidence", "precision", "recall", *names),
        (
            (
                network.name,
                network.size,
                f"{confidence:g}",
                f"{network.outcome.precision(confidence):.3f}",
                f"{network.outcome.recall(confidence):.3f}",
                *(f"{network.outcome.recall(confidence, group):.2f}" for group in groups.values()),
            )
            for network in networks
            for confidence in (confidences or (network.usual.default_confidence,))
        ),
    )


def _groups(
    heights: FloatArray, masked: NDArray[np.bool_]
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    for low, high in HEIGHT_CLASSES:
        for kind, wanted in (("masked", True), ("bare", False)):
            span = f"{low}-{high}" if high < HEIGHT_CLASSES[-1][1] else f"{low} up"
            chosen = (heights >= low) & (heights < high) & (masked == wanted)
            if chosen.any():
                yield f"{kind} {span}", chosen


def write_into_card(
    card_path: Path, networks: Sequence[Contestant], masked: NDArray[np.bool_]
) -> None:
    """Puts the figures at the default confidence into the card's ``measured`` entry."""
    card = json.loads(card_path.read_text(encoding="utf-8"))
    card["measured"] = {
        "on": "photographs of streets and crowds that no training has seen",
        "photographs": len(networks[0].outcomes),
        "faces": len(masked),
        "overlap": 0.5,
        "confidence": card["default_confidence"],
        "results": [
            {
                "network": network.name,
                "input_size": network.size,
                "average_precision": round(network.outcome.average_precision, 3),
                "precision": round(network.outcome.precision(card["default_confidence"]), 3),
                "recall": round(network.outcome.recall(card["default_confidence"]), 3),
                "balances_at": network.outcome.balance(),
                "recall_by_height": {
                    name: round(network.outcome.recall(card["default_confidence"], chosen), 3)
                    for name, chosen in _groups(network.outcome.heights, masked)
                },
            }
            for network in networks
            if network.name.startswith("bundled") and isinstance(network.size, int)
        ],
    }
    card_path.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--images", type=_FOLDER, required=True, help="Folder of photographs.")
@click.option("--labels", type=_FOLDER, required=True, help="Folder of their YOLO label files.")
@click.option("--scenes", type=_FOLDER, help="Folder of pictures without a face.")
@click.option("--face", multiple=True, default=("bundled", "original"), show_default=True)
@click.option("--precision", multiple=True, default=("int8",), show_default=True)
@click.option("--size", type=int, multiple=True, default=(300, 450, 600), show_default=True)
@click.option("--tiles", multiple=True, default=("2x2",), help="Of the bundled network, too.")
@click.option("--yunet", type=_FILE, help="YuNet's .onnx file, to compare with.")
@click.option("--yunet-size", type=int, multiple=True, default=(640, 1280), show_default=True)
@click.option("--confidence", type=float, multiple=True, help="[default: each network's own]")
@click.option("--complete/--as-labelled", default=True, help="Count what the labels leave out.")
@click.option("--card/--no-card", help="Write the figures into the bundled detector's card.")
def main(
    images: Path,
    labels: Path,
    scenes: Path | None,
    face: tuple[str, ...],
    precision: tuple[str, ...],
    size: tuple[int, ...],
    tiles: tuple[str, ...],
    yunet: Path | None,
    yunet_size: tuple[int, ...],
    confidence: tuple[float, ...],
    complete: bool,
    card: bool,
) -> None:
    """Measures face detectors on boxed photographs."""
    cv2.setNumThreads(1)
    photographs = list(read_yolo(images, labels, CLASS_NAMES))
    if complete:
        photographs = list(completed(photographs))
    networks = list(contestants(face, precision, size, tiles, yunet, yunet_size))
    run(networks, photographs, scenes)
    masked = np.array(
        [label == MASK_LABEL for one in photographs for label in one.labels if label != IGNORED]
    )
    click.echo(f"{len(photographs)} photographs, {len(masked)} faces, overlap 0.5")
    print_tables(networks, masked, confidence)
    card_path = find_card(bundled("face_detector"))
    if card and card_path is not None:
        write_into_card(card_path, networks, masked)


if __name__ == "__main__":
    main()
