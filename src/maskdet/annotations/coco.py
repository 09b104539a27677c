"""COCO: one JSON file for many pictures, boxes as left, top, width, height in pixels."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from maskdet.annotations.entries import Entry, files_of, stated_size
from maskdet.errors import DatasetError
from maskdet.files.documents import read_json


def load(path: Path) -> Any:
    """Reads a JSON file.

    Raises:
        DatasetError: it cannot be read, or is not JSON.
    """
    return read_json(path, DatasetError)


def is_coco(content: object) -> bool:
    """Tells whether what a JSON file holds is COCO."""
    return isinstance(content, dict) and {"images", "annotations"} <= set(content)


def read(place: Path) -> Iterator[Entry]:
    """Reads a COCO file, or all that are in a folder, such as one each for training and validation.

    Crowd regions and annotations that say they belong to an unlisted picture are left out.

    Raises:
        DatasetError: the file is not JSON, or one lists no pictures.
    """
    for path in [place] if place.is_file() else files_of(place, ".json"):
        try:
            content = load(path)
        except DatasetError as error:
            if path == place:
                raise
            # Any JSON file may lie there, and one need not be an annotation.
            yield Entry.unreadable(path, str(error).removeprefix(f"{path}: "))
            continue
        if is_coco(content):
            yield from _entries(path, content)


def _entries(path: Path, content: dict[str, Any]) -> Iterator[Entry]:
    names = {
        _key(item.get("id")): str(item.get("name", item.get("id")))
        for item in _objects(content, "categories")
    }
    entries: dict[str, Entry] = {}
    for number, item in enumerate(_objects(content, "images"), 1):
        name = item.get("file_name")
        size = stated_size(item.get("width"), item.get("height"))
        key = _key(item["id"]) if "id" in item else f"without id {number}"
        if key in entries:
            entries[key].note(f"has two pictures of the id {key}: the second is left out")
            continue
        entries[key] = Entry(path, (name,) if name and isinstance(name, str) else (), size)
    if not entries:
        raise DatasetError(f"{path}: lists no pictures")
    for number, item in enumerate(_objects(content, "annotations"), 1):
        where = f"annotation {item.get('id', number)}"
        entry = entries.get(_key(item.get("image_id")))
        if entry is None:
            next(iter(entries.values())).note(f"{where} is of no listed picture: left out")
        elif item.get("iscrowd"):
            entry.note(f"{where} is a crowd: left out")
        elif item.get("category_id") is None:
            entry.lose(f"{where} has no category")
        else:
            kind = _key(item["category_id"])
            corners: Sequence[float] = _corners(item.get("bbox")) or _around(
                item.get("segmentation")
            )
            entry.add(names.get(kind, kind), corners, where)
    yield from entries.values()


def _corners(box: object) -> list[float]:
    """Returns left, top, right and bottom; nothing where it is not a box."""
    if not (isinstance(box, list) and len(box) == 4 and all(map(_is_number, box))):
        return []
    try:
        left, top, width, height = map(float, box)
    except OverflowError:
        return []
    return [left, top, left + width, top + height]


def _around(polygons: object) -> list[int | float]:
    """Returns left, top, right and bottom of polygons; nothing where they are none."""
    if not isinstance(polygons, list) or not polygons:
        return []
    if not all(isinstance(polygon, list) and all(map(_is_number, polygon)) for polygon in polygons):
        return []
    across = [x for polygon in polygons for x in polygon[0::2]]
    down = [y for polygon in polygons for y in polygon[1::2]]
    return [min(across), min(down), max(across), max(down)] if across and down else []


def _key(identity: object) -> str:
    """Returns an id as something that can be looked up: files in the wild have lists, too."""
    # A table with a gap in its column of ids is written with all of them as 1.0.
    if isinstance(identity, float) and identity.is_integer():
        identity = int(identity)
    return str(identity)


def _objects(content: Any, key: str) -> list[dict[str, Any]]:
    found = content.get(key)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
