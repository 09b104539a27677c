"""Boxed photographs in the common formats, read into one in-memory form."""

from collections.abc import Callable, Iterator
from pathlib import Path

from maskdet.annotations import coco, medical, voc, yolo
from maskdet.annotations.entries import Entry, resolve
from maskdet.annotations.photographs import (
    MEDICAL_JSON,
    PICTURE_SUFFIXES,
    Annotations,
    BoxedPhotograph,
)
from maskdet.annotations.yolo import read_yolo
from maskdet.errors import DatasetError

__all__ = [
    "AUTO",
    "FORMATS",
    "PICTURE_SUFFIXES",
    "Annotations",
    "BoxedPhotograph",
    "read_annotations",
    "read_yolo",
]

AUTO = "auto"
_READERS: dict[str, Callable[[Path], Iterator[Entry]]] = {
    "yolo": yolo.read,
    "voc": voc.read,
    "coco": coco.read,
    MEDICAL_JSON: medical.read,
}
FORMATS = (*_READERS, AUTO)


def read_annotations(images: Path, annotations: Path, format_name: str = AUTO) -> Annotations:
    """Reads boxed photographs.

    Slips inside the annotations (missing fields, reversed, empty or outlying boxes, pictures
    without annotations and annotations without pictures) are put right or left out, and noted.

    Args:
        images: folder of pictures; annotations may name those in its folders, too.
        annotations: the folder of annotation files; for COCO the file, or the folder it is in.
        format_name: one of `FORMATS`.

    Raises:
        DatasetError: something is missing altogether, the annotations are of another format than
            said or of none, or a picture is annotated in two files.
    """
    if not annotations.exists():
        raise DatasetError(f"{annotations}: no such file or folder")
    try:
        found, place = _recognise(annotations)
        if found is None:
            raise DatasetError(
                f"{annotations}: holds no annotations in yolo, voc, coco or medical-json format"
            )
        if format_name not in (AUTO, found):
            raise DatasetError(f"{annotations}: is not {format_name}, it looks like {found}")
        return resolve(found, images, _READERS[found](place))
    except OSError as error:
        raise DatasetError(f"{error.filename}: cannot be read ({error.strerror})") from None


def _recognise(annotations: Path) -> tuple[str | None, Path]:
    """Tells the format, ``None`` for none, and the file or folder to read."""
    if annotations.is_file():
        if annotations.suffix == ".json" and coco.is_coco(coco.load(annotations)):
            return "coco", annotations
        return None, annotations
    counts = {
        "yolo": len(yolo.label_files(annotations)),
        "voc": len(voc.label_files(annotations)),
        MEDICAL_JSON: len(medical.label_files(annotations)),
    }
    found = max(counts, key=lambda name: counts[name])
    if counts[found] == 0:
        return None, annotations
    if found == MEDICAL_JSON:
        return _recognise_json(annotations)
    return found, annotations


def _recognise_json(folder: Path) -> tuple[str | None, Path]:
    """Tells the format of a folder of JSON files by the first one that is of a known format."""
    for path in medical.label_files(folder):
        try:
            content = coco.load(path)
        except DatasetError:
            continue
        if medical.is_medical(content):
            return MEDICAL_JSON, folder
        if coco.is_coco(content):
            return "coco", path
    return None, folder
