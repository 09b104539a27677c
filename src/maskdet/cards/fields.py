"""The entries of model cards, each checked as it is read.

A card comes with somebody's model and may hold anything. Whatever reads an entry says what it
expects; what is otherwise is refused in one line that names the card and the entry.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from maskdet.errors import ModelError
from maskdet.files.documents import is_number

Value = TypeVar("Value")

Read = Callable[[Any], Value | None]
"""Returns what an entry is read as, ``None`` where it is not what was expected."""

LARGEST_SIZE = 2048
"""Most pixels that the side of a network's input may have."""

_LONGEST_SHOWN = 40  # characters of a wrong entry
_MOST_LABELS = 1000
_LONGEST_LABEL = 100  # bytes; a label becomes the name of a folder, with a number behind it
_MISSING = object()


class Fields:
    """The entries of a card, or of an object in it.

    Each method takes the entry's name and raises `ModelError` where it is not what was expected.
    An optional entry may be ``null``.

    Args:
        path: of the card.
        entries: of the object.
        within: names of the objects it is in, each with a dot behind it.
    """

    def __init__(self, path: Path, entries: Mapping[str, Any], within: str = "") -> None:
        self.path = path
        self._entries = entries
        self._within = within

    def __iter__(self) -> Iterator[str]:
        """Iterates over the names of the entries."""
        return iter(self._entries)

    def take(
        self,
        name: str,
        expected: str,
        read: Read[Value],
        default: Any = _MISSING,
    ) -> Value:
        """Returns what an entry is read as.

        Args:
            name: of the entry.
            expected: what it should be, in words.
            read: reads it.
            default: where there is no such entry.
        """
        given = self._entries.get(name, _MISSING)
        if given is _MISSING or (given is None and default is not _MISSING):
            if default is _MISSING:
                raise ModelError(f"{self.path}: has no {self._where(name)}")
            value: Value = default
            return value
        found = read(given)
        if found is None:
            raise ModelError(
                f"{self.path}: {self._where(name)} is {shown(given)}, expected {expected}"
            )
        return found

    def _where(self, name: str) -> str:
        """Returns how an entry is called in an error; some names are the stranger's, too."""
        where = f"{self._within}{name}"
        return where if where.isprintable() and len(where) < 2 * _LONGEST_SHOWN else shown(where)

    def number(self, name: str, low: float, high: float, default: Any = _MISSING) -> float:
        """Returns a number between two others, both included."""
        expected = f"a number from {low:g} to {high:g}"
        return self.take(name, expected, a_number(low, high), default)

    def whole(self, name: str, low: int, high: int, default: Any = _MISSING) -> int:
        """Returns a whole number between two others, both included."""
        expected = f"a whole number from {low} to {high}"
        return self.take(name, expected, a_whole(low, high), default)

    def text(self, name: str, default: Any = _MISSING) -> str:
        """Returns a text."""
        return self.take(name, "a text", _an(str), default)

    def flag(self, name: str, *, default: bool) -> bool:
        """Returns ``true`` or ``false``."""
        return self.take(name, "true or false", _an(bool), default)

    def fixed(self, name: str, only: Any, default: Any = _MISSING) -> None:
        """Makes sure that an entry is the one thing that this maskdet can do."""

        def same(given: Any) -> Any:
            return given if type(given) is type(only) and given == only else None

        self.take(name, _json(only), same, default)

    def inner(self, name: str) -> "Fields":
        """Returns the entries of an object."""
        entries: dict[str, Any] = self.take(name, "an object", _an(dict))
        return Fields(self.path, entries, f"{self._within}{name}.")

    def labels(self, name: str) -> tuple[str, ...]:
        """Returns the names of classes, which become parts of file names."""
        names = self.take(
            name,
            f"a list of 2 to {_MOST_LABELS} names without / or control characters",
            a_list(_label, 2, _MOST_LABELS),
        )
        for label in names:
            if names.count(label) > 1:
                raise ModelError(f"{self.path}: {self._where(name)} has {shown(label)} twice")
        return names


def shown(value: object) -> str:
    """Returns how a wrong entry reads in an error: short, and on one line."""
    if isinstance(value, dict | list):
        return ("an object" if isinstance(value, dict) else "a list") + (
            "" if value else " without entries"
        )
    text = _json(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def _json(value: object) -> str:
    """Returns a value as JSON writes it, with escapes for whatever cannot be printed."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def a_number(low: float, high: float) -> Read[float]:
    """Returns what reads a number between two others, both included."""
    return lambda given: float(given) if is_number(given) and low <= given <= high else None


def a_whole(low: int, high: int) -> Read[int]:
    """Returns what reads a whole number between two others, both included."""

    def read(given: Any) -> int | None:
        return int(given) if is_number(given) and low <= given <= high and given % 1 == 0 else None

    return read


def a_list(item: Read[Value], least: int, most: int) -> Read[tuple[Value, ...]]:
    """Returns what reads a list of items of one kind."""

    def read(given: Any) -> tuple[Value, ...] | None:
        if not isinstance(given, list) or not least <= len(given) <= most:
            return None
        items = [found for found in map(item, given) if found is not None]
        return tuple(items) if len(items) == len(given) else None

    return read


def _an(kind: type[Value]) -> Read[Value]:
    return lambda given: given if isinstance(given, kind) else None


def plain(given: Any, longest: int) -> str | None:
    """Returns a text that can be one part of a path, and be printed."""
    if not isinstance(given, str) or given.strip() in ("", ".", "..") or not given.isprintable():
        return None
    return given if not set("/\\") & set(given) and len(given.encode()) <= longest else None


def _label(given: Any) -> str | None:
    return plain(given, _LONGEST_LABEL)
