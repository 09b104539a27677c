"""The notebook data set: one JSON file a picture with ``FileName`` and ``Annotations``.

Each annotation has a ``classname`` (``face_with_mask``, ``face_no_mask`` and others, such as
``hat``) and a ``BoundingBox`` of left, top, right, bottom in pixels.
"""

from collections.abc import Iterator
from pathlib import Path

from maskdet.annotations.coco import load
from maskdet.annotations.entries import Entry, files_of
from maskdet.errors import DatasetError


def label_files(folder: Path) -> list[Path]:
    """Returns the files of a folder that may be annotations."""
    return files_of(folder, ".json")


def is_medical(content: object) -> bool:
    """Tells whether what a JSON file holds is of this format."""
    return isinstance(content, dict) and "Annotations" in content


def read(folder: Path) -> Iterator[Entry]:
    """Reads the JSON files of a folder."""
    for path in label_files(folder):
        # "0001.jpg.json" and "0001.json" both occur.
        relative = path.relative_to(folder).with_suffix("").as_posix()
        try:
            content = load(path)
        except DatasetError as error:
            yield Entry.unreadable(path, str(error).removeprefix(f"{path}: "))
            continue
        faces = content.get("Annotations") if isinstance(content, dict) else None
        if not isinstance(faces, list):
            yield Entry.unreadable(path, "has no list of Annotations")
            continue
        named = content.get("FileName")
        entry = Entry(path, (relative, named) if isinstance(named, str) else (relative,), None)
        stated = content.get("NumOfAnno")
        if isinstance(stated, int) and stated != len(faces):
            entry.note(f"says it has {stated} annotations, has {len(faces)}")
        for number, face in enumerate(faces, 1):
            label = face.get("classname") if isinstance(face, dict) else None
            if not isinstance(label, str) or not label.strip():
                entry.lose(f"annotation {number} has no classname")
                continue
            box = face.get("BoundingBox")
            entry.add(label.strip(), box if isinstance(box, list) else [], f"annotation {number}")
        yield entry
