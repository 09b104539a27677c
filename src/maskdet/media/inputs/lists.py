"""Text files that name sources, one a line."""

from pathlib import Path

from maskdet.addresses import MARK
from maskdet.errors import SourceError
from maskdet.files.text_files import read_text
from maskdet.media.inputs.lookup import look
from maskdet.media.inputs.naming import split_name


def is_list(text: str) -> bool:
    """Tells whether what the user named is a list of sources, rather than one."""
    return text.lower().endswith(".txt") and look(Path(text)) is not None


def read_list(path: Path) -> list[str]:
    """Reads a list of sources; paths are relative to the list, # begins a comment.

    Raises:
        SourceError: it cannot be read, or names nothing.
    """
    try:
        lines = read_text(path).splitlines()
    except OSError:
        raise SourceError(f"{path}: cannot be read as a list of sources") from None
    names = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not names:
        raise SourceError(f"{path}: names no source")
    return [_beside(path, name) for name in names]


def _beside(path: Path, text: str) -> str:
    """Makes the path of a source relative to the list that names it."""
    if MARK in text or text.isdecimal():
        return text
    name, where = split_name(text)
    if name is None or (path.parent / text).exists():
        return str(path.parent / text)
    return f"{name}={where if where.isdecimal() else path.parent / where}"
