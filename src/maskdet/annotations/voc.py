"""PASCAL VOC: one XML file a picture, as in the 853-picture set on Kaggle."""

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

from maskdet.annotations.entries import Entry, files_of, stated_size
from maskdet.files.text_files import decode_text

_CORNERS = ("xmin", "ymin", "xmax", "ymax")


def label_files(folder: Path) -> list[Path]:
    """Returns the files of a folder that may be annotations."""
    return files_of(folder, ".xml")


def read(folder: Path) -> Iterator[Entry]:
    """Reads the XML files of a folder."""
    for path in label_files(folder):
        relative = path.relative_to(folder).with_suffix("").as_posix()
        try:
            root = _parse(path.read_bytes())
        except (ET.ParseError, LookupError, ValueError) as error:  # the latter two: its encoding
            yield Entry.unreadable(path, f"is not XML ({error})")
            continue
        named = (root.findtext("filename") or "").strip()
        entry = Entry(path, tuple(name for name in (relative, named) if name), _size(root))
        for number, face in enumerate(root.iter("object"), 1):
            label = (face.findtext("name") or "").strip()
            if not label:
                entry.lose(f"object {number} has no name")
                continue
            box = face.find("bndbox")
            corners = [None if box is None else box.findtext(side) for side in _CORNERS]
            entry.add(label, corners, f"object {number}")
        yield entry


def _parse(data: bytes) -> ET.Element:
    """Parses XML; one that does not say its encoding may be in that of Windows."""
    try:
        return ET.fromstring(data)
    except ET.ParseError:
        if b"encoding" in data[:100]:
            raise
        return ET.fromstring(decode_text(data))


def _size(root: ET.Element) -> tuple[float, float] | None:
    """Returns the stated size of the picture in pixels, ``None`` where it cannot be one."""
    try:
        width, height = (float(root.findtext(f"size/{side}") or 0) for side in ("width", "height"))
    except ValueError:
        return None
    return stated_size(width, height)
