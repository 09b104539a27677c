"""What every model card has: its place and its files."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskdet.assets import card_file, read_card, sha256
from maskdet.cards.fields import Fields, a_list, plain
from maskdet.errors import ModelError

_MOST_PRECISIONS = 16
_LONGEST_NAME = 255  # bytes, of a file in a folder


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
        interchangeable: precisions that are equally right, of which the fastest may be taken.
    """

    path: Path
    files: Mapping[str, CardFile]
    interchangeable: tuple[str, ...]

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


def interchangeable_precisions(fields: Fields) -> tuple[str, ...]:
    """Reads which precisions a card calls equally right; none where it does not say.

    Raises:
        ModelError: they are garbled.
    """
    return fields.take(
        "interchangeable",
        f"a list of up to {_MOST_PRECISIONS} names of precisions",
        a_list(lambda given: plain(given, _LONGEST_NAME), 0, _MOST_PRECISIONS),
        (),
    )


def _card_file(entry: Fields) -> CardFile:
    return CardFile(
        name=entry.take("name", "the name of a file beside the card", _file_name),
        sha256=entry.take("sha256", "64 hexadecimal digits", _digest),
        precision=entry.text("precision", None),
    )


def _file_name(given: Any) -> str | None:
    return plain(given, _LONGEST_NAME)


def _digest(given: Any) -> str | None:
    digits = given.lower() if isinstance(given, str) else ""
    return digits if len(digits) == 64 and set(digits) <= set("0123456789abcdef") else None
