"""Measures face detectors on faces that are hard to see: turned away, bent down, half covered.

    python benchmarks/turned_faces.py --photographs build/faces/held_out/photographs --yunet FILE \
        --face face_detector --face build/face_detector

``--photographs`` holds ``images/`` and ``annotations/``, as `tools/build_faces.py` writes those
that are kept apart. YuNet says which faces are hard, as nobody labelled that: it does not see them
at its default confidence, or they are turned, the nose far from the middle between the eyes.
Printed as Markdown: recall of each kind at the confidences asked for, or each network's own, and
the boxes that are of no label, with those among them where YuNet sees nothing either. Some of these
are faces.
"""

from collections.abc import Sequence
from pathlib import Path

import click
import cv2
import numpy as np

from maskdet.annotations import read_annotations
from maskdet.boxes import intersection_over_union
from maskdet.detections import FloatArray
from maskdet.media.inputs.decoding import read_picture
from maskdet.train.faces.measure import FaceOutcome
from maskdet.vision.faces.loading import load_face_detector
from maskdet.vision.preprocessing import UInt8Array

SMALLEST = 24  # pixels of the photograph, height; of smaller ones YuNet's landmarks are rough
SURE, SEEN = 0.6, 0.3  # YuNet's default, and the least score of a box that counts as one at all
SAME = 0.35  # overlap from which on two boxes are of one face
TURNED = 0.35  # distances between the eyes that the nose is away from the middle of them
KINDS = ("frontal", "turned", "hardly seen", "not seen")
FLOOR = 0.02  # confidence, for the average precision


def look(yunet: cv2.FaceDetectorYN, picture: UInt8Array) -> FloatArray:
    """Returns what YuNet sees: (N, 15), box as left, top, width, height, landmarks, score."""
    yunet.setInputSize(picture.shape[1::-1])
    found = yunet.detect(picture)[1]
    return np.zeros((0, 15), np.float32) if found is None else found


def xyxy(seen: FloatArray) -> FloatArray:
    """Returns the (N, 4) boxes of what `look` returns."""
    result: FloatArray = np.concatenate([seen[:, :2], seen[:, :2] + seen[:, 2:4]], axis=1)
    return result


def kinds_of(faces: FloatArray, seen: FloatArray) -> list[str]:
    """Returns which of `KINDS` each of (N, 4) labelled faces is of, given what YuNet sees."""
    kinds = []
    for row in intersection_over_union(faces, xyxy(seen)) if len(seen) else [None] * len(faces):
        if row is None or row.max() < SAME:
            kinds.append("not seen")
            continue
        of_it = seen[int(row.argmax())]
        right, left, nose = of_it[4:10].reshape(3, 2)
        between, off = left - right, nose - (left + right) / 2
        # Along the line of the eyes, as a head may be tilted, in distances between them.
        turned = abs(float(off @ between)) > TURNED * float(between @ between)
        if of_it[14] < SURE:
            kinds.append("hardly seen")
        else:
            kinds.append("turned" if turned else "frontal")
    return kinds


@click.command()
@click.option("--photographs", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--yunet", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--face", type=click.Path(exists=True, path_type=Path), multiple=True, required=True)
@click.option("--size", type=int, multiple=True, default=(320, 640), show_default=True)
@click.option("--confidence", type=float, multiple=True, help="[default: each network's own]")
def main(
    photographs: Path,
    yunet: Path,
    face: Sequence[Path],
    size: Sequence[int],
    confidence: Sequence[float],
) -> None:
    """Measures face detectors on hard faces."""
    cv2.setNumThreads(1)
    teacher = cv2.FaceDetectorYN.create(str(yunet), "", (320, 320), SEEN)
    found = read_annotations(photographs / "images", photographs / "annotations", "voc")
    pictures = [read_picture(photograph.path) for photograph in found.photographs]
    faces = [
        photograph.xyxy(picture.shape[1], picture.shape[0])
        for photograph, picture in zip(found.photographs, pictures, strict=True)
    ]
    seen = [look(teacher, picture) for picture in pictures]
    large = np.concatenate([boxes[:, 3] - boxes[:, 1] for boxes in faces]) >= SMALLEST
    kinds = np.concatenate([kinds_of(*pair) for pair in zip(faces, seen, strict=True)])
    groups = {f"{kind} ({(chosen := large & (kinds == kind)).sum()})": chosen for kind in KINDS}
    header = ("network", "input", "confidence", "AP", *groups, "of no label", "YuNet neither")
    click.echo(f"| {' | '.join(header)} |\n{'| --- ' * len(header)}|")
    for folder in face:
        for side in size:
            network = load_face_detector(folder, confidence=FLOOR, face_size=side)
            found_in = [network.detect(picture) for picture in pictures]
            outcome = FaceOutcome.together(
                [FaceOutcome.of(*what, boxes) for what, boxes in zip(found_in, faces, strict=True)]
            )
            for least in confidence or (network.default_confidence,):
                others, neither = 0, 0
                for (where, scores), boxes, rows in zip(found_in, faces, seen, strict=True):
                    sure = where[scores >= least]
                    free = sure[intersection_over_union(sure, boxes).max(axis=1, initial=0) < SAME]
                    others += len(free)
                    overlaps = intersection_over_union(free, xyxy(rows))
                    neither += int((overlaps.max(axis=1, initial=0) < SAME).sum())
                cells = [folder, side, least, f"{outcome.average_precision:.3f}"]
                cells += [f"{outcome.recall(least, chosen):.3f}" for chosen in groups.values()]
                click.echo(f"| {' | '.join(map(str, [*cells, others, neither]))} |")


if __name__ == "__main__":
    main()
