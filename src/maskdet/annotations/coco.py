"""COCO: one JSON file for all pictures, boxes as left, top, width, height in pixels."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from maskdet.annotations.entries import Entry
from maskdet.errors import DatasetError


def load(path: Path) -> Any:
    """Reads a JSON file.

    Raises:
        DatasetError: it is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise DatasetError(f"{path}: is not JSON ({error})") from None


def is_coco(content: object) -> bool:
    """Tells whether what a JSON file holds is COCO."""
    return isinstance(content, dict) and {"images", "annotations"} <= set(content)


def read(path: Path) -> Iterator[Entry]:
    """Reads a COCO file.

    Crowd regions and annotations that say they belong to an unlisted picture are left out.
    """
    content = load(path)
    names = {
        item["id"]: str(item.get("name", item["id"]))
        for item in _objects(content, "categories")
        if "id" in item
    }
    entries: dict[object, Entry] = {}
    for number, item in enumerate(_objects(content, "images"), 1):
        name = str(item.get("file_name") or "")
        entries[item.get("id", f"without id {number}")] = Entry(
            path, (name,) if name else (), _size(item)
        )
    stray = Entry(path, (), None)
    for number, item in enumerate(_objects(content, "annotations"), 1):
        where = f"annotation {item.get('id', number)}"
        entry = entries.get(item.get("image_id"), stray)
        if entry is stray:
            next(iter(entries.values()), stray).note(f"{where} is of no listed picture: left out")
            continue
        if item.get("iscrowd"):
            entry.note(f"{where} is a crowd: left out")
            continue
        box = item.get("bbox")
        corners: list[object] = []
        if isinstance(box, list) and len(box) == 4 and all(_is_number(side) for side in box):
            corners = [box[0], box[1], box[0] + box[2], box[1] + box[3]]
        kind = item.get("category_id")
        entry.add(names.get(kind, str(kind)), corners, where)
    yield from entries.values()


def _objects(content: Any, key: str) -> list[dict[str, Any]]:
    found = content.get(key)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _size(item: dict[str, Any]) -> tuple[float, float] | None:
    width, height = item.get("width"), item.get("height")
    if _is_number(width) and _is_number(height) and width and height and min(width, height) > 0:
        return float(width), float(height)
    return None
