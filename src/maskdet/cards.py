"""What model cards have in common: entries that are checked as they are read, and files.

A card comes with somebody's model and may hold anything. Whatever reads an entry says what it
expects; what is otherwise is refused in one line that names the card and the entry.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from maskdet.assets import card_file, read_card, sha256
from maskdet.documents import is_number
from maskdet.errors import ModelError

Value = TypeVar("Value")

Read = Callable[[Any], Value | None]
"""Returns what an entry is read as, ``None`` where it is not what was expected."""

LARGEST_SIZE = 2048
"""Most pixels that the side of a network's input may have."""

_LONGEST_SHOWN = 40  # characters of a wrong entry
_LONGEST_NAME = 255  # bytes, of a file in a folder
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


@dataclass(frozen=True)
class CardFile:
    """A file that a card names.

    Attributes:
        name: of the file, which lies beside the card.
        sha256: in hexadecimal digits.
        precision: of a network.
    """

    name: str
    sha256: str
    precision: str | None


@dataclass(frozen=True)
class Card:
    """What every card has.

    Attributes:
        path: of the card.
        files: key, such as ``tflite``, to the file.
    """

    path: Path
    files: Mapping[str, CardFile]

    def file(self, key: str) -> Path:
        """Finds one of the card's files.

        Raises:
            ModelError: the card names no such file, or it is missing or another one.
        """
        entries = {name: vars(entry) for name, entry in self.files.items()}
        return card_file(self.path, {"files": entries}, key)

    def named_file(self, file: Path, wanted: str | None) -> Path:
        """Finds the file to run where the user named a file and not the card.

        A file is known by its name, or, renamed, by its content.

        Args:
            file: that the user named.
            wanted: key of the file that another option asks for.

        Raises:
            ModelError: the card does not know the file, or it is another than the one wanted.
        """
        own = _key_of(file, self.files)
        if own is None:
            raise ModelError(f"{file}: is none of the files that {self.path.name} names")
        if wanted is not None and self.files.get(wanted) != self.files[own]:
            # By its bare name it stands for the model, of which the card knows several files.
            if file.stem == self.path.stem:
                return self.file(wanted)
            raise ModelError(
                f"{file}: is not what --precision asks for; leave one of them out, or name "
                f"{self.path.name}"
            )
        return self.file(own) if self.files[own].name == file.name else file


def _key_of(file: Path, files: Mapping[str, CardFile]) -> str | None:
    by_name = [key for key, entry in files.items() if entry.name == file.name]
    if by_name:
        return by_name[0]
    digest = sha256(file)
    return next((key for key, entry in files.items() if entry.sha256 == digest), None)


def card_naming(file: Path) -> Path | None:
    """Finds the card that a file of a model belongs to, among those beside it.

    Args:
        file: that the user named.

    Returns:
        The card of the same name if there is one, unless only another names the file; ``None``
        where no card does either.
    """
    same = file.with_suffix(".json")
    cards = sorted(file.parent.glob("*.json"), key=lambda path: (path != same, path))
    for card in cards:
        # Beside a model lie other files of JSON, too.
        with contextlib.suppress(ModelError):
            if _key_of(file, card_files(open_card(card))) is not None:
                return card
    return same if same.is_file() else None


def open_card(path: Path) -> Fields:
    """Opens a card for reading.

    Raises:
        ModelError: the file is missing, is not JSON, or is not a JSON object.
    """
    return Fields(path, read_card(path))


def card_files(fields: Fields) -> dict[str, CardFile]:
    """Reads which files a card names.

    Raises:
        ModelError: they are garbled.
    """
    files = fields.inner("files")
    return {key: _card_file(files.inner(key)) for key in files}


def _card_file(entry: Fields) -> CardFile:
    return CardFile(
        name=entry.take("name", "the name of a file beside the card", _file_name),
        sha256=entry.take("sha256", "64 hexadecimal digits", _digest),
        precision=entry.text("precision", None),
    )


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


def _plain(given: Any, longest: int) -> str | None:
    """Returns a text that can be one part of a path, and be printed."""
    if not isinstance(given, str) or given.strip() in ("", ".", "..") or not given.isprintable():
        return None
    return given if not set("/\\") & set(given) and len(given.encode()) <= longest else None


def _label(given: Any) -> str | None:
    return _plain(given, _LONGEST_LABEL)


def _file_name(given: Any) -> str | None:
    return _plain(given, _LONGEST_NAME)


def _digest(given: Any) -> str | None:
    digits = given.lower() if isinstance(given, str) else ""
    return digits if len(digits) == 64 and set(digits) <= set("0123456789abcdef") else None
