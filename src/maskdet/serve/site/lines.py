"""At which line of a TOML text a key stands: the standard library's reader does not tell."""

import re
import tomllib
from collections import Counter

# The way to a value: keys, and numbers within arrays of tables.
Path = tuple[str | int, ...]

_HEADER = re.compile(r"\s*(\[\[?)([^\[\]]+)\]\]?\s*(#.*)?$")
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")


def key_lines(text: str) -> dict[Path, int]:
    """Returns where each table and key of a valid TOML text begins.

    Keys of inline tables are not told apart: they are where the key is that has the table.

    Args:
        text: the file.

    Returns:
        Path to its line, counted from 1; ``("cameras", 0, "name")`` for the first camera's name.
    """
    found: dict[Path, int] = {}
    counts: Counter[Path] = Counter()
    table: Path = ()
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        line, first = lines[number], number + 1
        number += 1
        header, key = _HEADER.match(line), _KEY.match(line)
        if header:
            table = _resolved(_words(header[2]), counts)
            if header[1] == "[[":
                counts[table] += 1
                table = (*table, counts[table] - 1)
            found.setdefault(table, first)
        elif key:
            # A value may go on for lines, which may look like keys: until it is whole.
            value = line[key.end() :]
            while not _is_whole(value) and number < len(lines):
                value += "\n" + lines[number]
                number += 1
            path = table
            for word in _words(key[1]):
                path = (*path, word)
                found.setdefault(path, first)
    return found


def line_of(lines: dict[Path, int], path: Path) -> int:
    """Returns the line of a path, or of the nearest above it that is known; 1 for none."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def _words(dotted: str) -> tuple[str, ...]:
    words = re.findall(r"""[\w-]+|"[^"]*"|'[^']*'""", dotted)
    return tuple(word.strip("\"'") for word in words)


def _resolved(words: tuple[str, ...], counts: Counter[Path]) -> Path:
    """Adds the numbers of the newest elements where a header goes through arrays of tables."""
    path: Path = ()
    for place, word in enumerate(words):
        path = (*path, word)
        if path in counts and place < len(words) - 1:
            path = (*path, counts[path] - 1)
    return path


def _is_whole(value: str) -> bool:
    try:
        tomllib.loads(f"key = {value}")
    except tomllib.TOMLDecodeError:
        return False
    return True
