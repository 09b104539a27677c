"""Boxed photographs in the common formats, read into one in-memory form."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maskdet.detections import FloatArray
from maskdet.errors import DatasetError

PICTURE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


@dataclass(frozen=True)
class BoxedPhotograph:
    """A photograph with its labelled faces.

    Attributes:
        path: the picture file.
        boxes: (N, 4) float32, left, top, right, bottom as shares (0..1) of the picture's size.
        labels: N class names.
    """

    path: Path
    boxes: FloatArray
    labels: tuple[str, ...]

    def xyxy(self, width: int, height: int) -> FloatArray:
        """Returns the (N, 4) boxes in pixels of the picture at the given size."""
        return self.boxes * np.array([width, height, width, height], np.float32)


def read_yolo(
    images: Path, annotations: Path, names: Mapping[int, str]
) -> Iterator[BoxedPhotograph]:
    """Reads YOLO text labels: one file a picture, ``class cx cy w h`` a line in shares of its size.

    Args:
        images: folder of pictures.
        annotations: folder of ``.txt`` files named as the pictures.
        names: class number to class name; boxes of other classes are left out.

    Yields:
        Pictures in the order of their names, those without a label file left out.

    Raises:
        DatasetError: a folder is missing or a line is not a YOLO label.
    """
    for folder in (images, annotations):
        if not folder.is_dir():
            raise DatasetError(f"{folder}: no such folder")
    for path in sorted(images.iterdir()):
        label_file = annotations / f"{path.stem}.txt"
        if path.suffix.lower() not in PICTURE_SUFFIXES or not label_file.is_file():
            continue
        boxes, labels = [], []
        for number, line in enumerate(label_file.read_text(encoding="utf-8").splitlines(), 1):
            if not line.strip():
                continue
            try:
                kind, cx, cy, width, height = (float(word) for word in line.split())
            except ValueError:
                raise DatasetError(
                    f"{label_file}:{number}: expected 'class cx cy w h', got {line!r}"
                ) from None
            if int(kind) in names:
                boxes.append((cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2))
                labels.append(names[int(kind)])
        yield BoxedPhotograph(path, np.array(boxes, np.float32).reshape(-1, 4), tuple(labels))
