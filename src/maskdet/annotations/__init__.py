"""Boxed photographs in the common formats, read into one in-memory form."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from maskdet.annotations import coco, medical, voc, yolo
from maskdet.annotations.entries import Entry, resolve
from maskdet.annotations.photographs import (
    MEDICAL_JSON,
    Annotations,
    BoxedPhotograph,
    find_pictures,
    overlooked,
)
from maskdet.annotations.yolo import read_yolo
from maskdet.errors import DatasetError

__all__ = [
    "AUTO",
    "FORMATS",
    "Annotations",
    "BoxedPhotograph",
    "find_pictures",
    "overlooked",
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
    So are pictures that the annotations are not of, by the size they state, and those of which
    they do not tell what faces there are.

    Args:
        images: folder of pictures; annotations may name those in its folders, too.
        annotations: the folder of annotation files; for COCO a file, or the folder of one or more.
        format_name: one of `FORMATS`.

    Raises:
        DatasetError: something is missing altogether, the annotations are of another format than
            said or of none, or a picture is annotated in two files.
    """
    if not annotations.exists():
        raise DatasetError(f"{annotations}: no such file or folder")
    try:
        looks_like = _formats(annotations)
        if not looks_like:
            hint = " (name the folder of the files)" if annotations.is_file() else ""
            raise DatasetError(f"{annotations}: {_NONE}{hint}")
        found = looks_like[0] if format_name == AUTO else format_name
        if found not in looks_like:
            raise DatasetError(f"{annotations}: is not {found}, it looks like {looks_like[0]}")
        return resolve(found, images, _READERS[found](annotations))
    except OSError as error:
        raise DatasetError(f"{error.filename}: cannot be read ({error.strerror})") from None


_NONE = "holds no annotations in yolo, voc, coco or medical-json format"


def _formats(annotations: Path) -> list[str]:
    """Returns the formats that there are annotations of, that of the most files first."""
    if annotations.is_file():
        is_coco = annotations.suffix.lower() == ".json" and coco.is_coco(coco.load(annotations))
        return ["coco"] if is_coco else []
    kinds = [_json_format(path) for path in medical.label_files(annotations)]
    kinds += ["voc" for _ in voc.label_files(annotations)]
    kinds += ["yolo" for path in yolo.label_files(annotations) if yolo.is_yolo(path)]
    return [kind for kind, _ in Counter(filter(None, kinds)).most_common()]


def _json_format(path: Path) -> str | None:
    try:
        content = coco.load(path)
    except DatasetError:
        return None
    if medical.is_medical(content):
        return MEDICAL_JSON
    return "coco" if coco.is_coco(content) else None
