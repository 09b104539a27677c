"""`maskdet dataset import`: faces cut out of boxed photographs into class folders."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from maskdet.annotations import AUTO, BoxedPhotograph, read_annotations
from maskdet.assets import read_card
from maskdet.boxes import clip_boxes, cut, expand_boxes
from maskdet.class_folders.faces_file import Box, FaceRow, write_faces
from maskdet.dataset.folders import FreeNames, check_free, new_folder, safe_name, write_problems
from maskdet.detections import FloatArray
from maskdet.errors import DatasetError, SourceError
from maskdet.media.inputs.decoding import read_picture
from maskdet.media.picture_files import write_picture
from maskdet.vision.classifier import find_card

# Below this even a person often cannot tell a mask from a beard.
DEFAULT_MIN_SIZE = 24


@dataclass(frozen=True)
class ImportOptions:
    """What to import, and how.

    Attributes:
        images: folder of photographs.
        annotations: folder or file of their boxes.
        output: folder to write, which must not hold anything yet.
        format_name: one of `maskdet.annotations.FORMATS`.
        mapping: class name to class folder; an empty folder leaves the class out.
        margin: share of a box's size added on every side; ``None`` for the bundled model's.
        min_size: faces whose box is smaller on either side are left out, in pixels.
    """

    images: Path
    annotations: Path
    output: Path
    format_name: str = AUTO
    mapping: Mapping[str, str] = field(default_factory=dict)
    margin: float | None = None
    min_size: float = DEFAULT_MIN_SIZE


@dataclass(frozen=True)
class ImportResult:
    """What became of the photographs.

    Attributes:
        format_name: what the annotations were read as.
        photographs: how many were read.
        counts: faces written, by class.
        too_small: faces left out for their size.
        problems: one line for each thing left out or set right; also in `problems.txt`.
    """

    format_name: str
    photographs: int
    counts: Counter[str]
    too_small: int
    problems: tuple[str, ...]


def import_faces(options: ImportOptions, *, show: Callable[[float, str], None]) -> ImportResult:
    """Cuts the faces out; each keeps its box and the name of its photograph in ``faces.csv``.

    Args:
        options: what to import.
        show: takes the fraction that is done and a short text.

    Raises:
        DatasetError: the annotations cannot be used, or no face is left.
        OutputError: the folder cannot be written; nothing of it is left then.
    """
    check_free(options.output)
    read = read_annotations(options.images, options.annotations, options.format_name)
    annotations = read.relabelled(options.mapping)
    margin = options.margin
    if margin is None:
        margin = float(read_card(find_card(None))["crop_margin"])
    counts: Counter[str] = Counter()
    rows: list[FaceRow] = []
    free = FreeNames()
    problems = list(annotations.problems)
    too_small = unread = 0
    with new_folder(options.output) as folder:
        for done, photograph in enumerate(annotations.photographs, 1):
            show(done / len(annotations.photographs), "cutting out faces")
            source = photograph.path.relative_to(options.images).as_posix()
            try:
                image = read_picture(photograph.path)
            except SourceError as error:
                problems.append(str(error))
                unread += 1
                continue
            boxes = _boxes(photograph, image.shape[1], image.shape[0])
            around = clip_boxes(expand_boxes(boxes, margin), image.shape[1], image.shape[0])
            for number, label in enumerate(photograph.labels):
                size = float(np.min(boxes[number, 2:] - boxes[number, :2]))
                if size <= 0:
                    problems.append(
                        f"{source}: face {number + 1} lies outside the picture: left out"
                    )
                    continue
                if size < options.min_size:
                    too_small += 1
                    continue
                file = free.take(f"{safe_name(label)}/{safe_name(source)}-{number}.jpg")
                write_picture(folder / file, cut(image, around[number]))
                corner = np.floor(around[number][[0, 1, 0, 1]])
                box = _box(boxes[number])
                rows.append(FaceRow(file, source, _box(boxes[number] - corner), source, box))
                counts[safe_name(label)] += 1
        if not counts:
            raise DatasetError(
                f"{options.annotations}: leaves no face of {options.min_size:g} pixels or more "
                f"({too_small} smaller ones)"
            )
        write_faces(folder, rows)
        write_problems(folder, problems)
    photographs = len(annotations.photographs) - unread
    return ImportResult(annotations.format, photographs, counts, too_small, tuple(problems))


def _boxes(photograph: BoxedPhotograph, width: int, height: int) -> FloatArray:
    return clip_boxes(photograph.xyxy(width, height), width, height)


def _box(corners: FloatArray) -> Box:
    left, top, right, bottom = (float(value) for value in corners)
    return left, top, right, bottom
