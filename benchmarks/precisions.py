"""What `--precision` changes: faces, boxes, labels and processor time on photographs.

    python benchmarks/precisions.py ../shared/data/detection/valid

Each photograph goes through both networks in each precision, in turns, so that a busy machine is
equally busy for all; times are the process's processor time. The faces are then compared with those
that the models' own defaults find: how many are found in one alone, how far the boxes move, and how
many labels differ.
"""

import time
from pathlib import Path

import click
import cv2
import numpy as np

from maskdet.boxes import intersection_over_union
from maskdet.detections import Detections
from maskdet.processor import processor
from maskdet.vision.matching import best_pairs
from maskdet.vision.networks import NetworkOptions, load_detector
from maskdet.vision.pipeline import MaskDetector
from maskdet.vision.preprocessing import UInt8Array

SAME_FACE = 0.5  # overlap
BASE = "default"
PRECISIONS = {BASE: None, "auto": "auto", "float16": "float16", "int8": "int8"}


def timed(detector: MaskDetector, image: UInt8Array) -> tuple[Detections, float]:
    """Returns what is found, and the seconds of processor time that it took."""
    start = time.process_time()
    found = detector(image)
    return found, time.process_time() - start


@click.command(help=__doc__)
@click.argument("photographs", type=click.Path(exists=True, path_type=Path))
@click.option("--most", type=int, help="Stop after so many photographs.")
def main(photographs: Path, most: int | None) -> None:
    """Measures and prints a Markdown table."""
    detectors = {
        name: load_detector(NetworkOptions(precision=kind)) for name, kind in PRECISIONS.items()
    }
    seconds = dict.fromkeys(detectors, 0.0)
    alone = {name: [0, 0] for name in detectors}
    shifts: dict[str, list[float]] = {name: [] for name in detectors}
    labels = dict.fromkeys(detectors, 0)
    faces = count = 0
    for path in sorted(photographs.rglob("*.jpg"))[:most]:
        image = cv2.imread(str(path))
        if image is None:
            raise click.ClickException(f"{path}: cannot be read")
        # The first photograph also loads each size that it asks for: looked at, and not counted.
        found = {name: timed(detector, image) for name, detector in detectors.items()}
        if count == 0:
            found = {name: timed(detector, image) for name, detector in detectors.items()}
        count += 1
        base = found[BASE][0]
        faces += len(base)
        for name, (other, took) in found.items():
            seconds[name] += took
            overlaps = intersection_over_union(base.xyxy, other.xyxy)
            matched = best_pairs(overlaps) if overlaps.size else []
            pairs = [(a, b) for a, b in matched if overlaps[a, b] >= SAME_FACE]
            alone[name][0] += len(base) - len(pairs)
            alone[name][1] += len(other) - len(pairs)
            for a, b in pairs:
                shifts[name].append(float(np.abs(base.xyxy[a] - other.xyxy[b]).max()))
                labels[name] += base.predicted_labels[a] != other.predicted_labels[b]
    here = processor()
    print(f"{here.name} ({' '.join(here.extensions)}); {count} photographs, {faces} faces\n")
    print(
        "| precision | faces, masks | lost | new | labels changed | boxes move (median, 95%) px "
        "| ms a photograph |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, detector in detectors.items():
        middle, far = np.quantile(shifts[name] or [0.0], (0.5, 0.95))
        kinds = ", ".join(detector.precisions.values())
        print(
            f"| {name} | {kinds} | {alone[name][0]} | {alone[name][1]} | {labels[name]} of "
            f"{len(shifts[name])} | {middle:.2f}, {far:.2f} | {1000 * seconds[name] / count:.1f} |"
        )


if __name__ == "__main__":
    main()
