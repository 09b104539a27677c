"""What lies beside a model of others and says what its file does not: labels, and what it takes.

``labels.txt`` or ``classes.txt`` in the same folder has a label a line, in the order of the model's
outputs (``0 with_mask``, numbered, as Teachable Machine writes it, is the same). ``NAME.json`` for
``NAME.h5`` can say more, in the words of a card::

    {"labels": ["with_mask", "without_mask"], "input": {"range": [0, 1], "colour": "BGR"}}
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskdet.errors import ModelError
from maskdet.files.documents import parse_json
from maskdet.files.text_files import read_text

_LABEL_FILES = ("labels.txt", "classes.txt")


@dataclass(frozen=True)
class Description:
    """What is known of a model besides its file.

    Attributes:
        labels: class names in the order of its outputs; ``None`` where nothing says them.
        levels: what black and white become in its input; ``None`` likewise.
        colour: ``RGB`` or ``BGR``; ``None`` likewise.
    """

    labels: tuple[str, ...] | None = None
    levels: tuple[float, float] | None = None
    colour: str | None = None


def companions(model: Path) -> list[Path]:
    """Returns the files beside a model that describe it, the first that says something first."""
    names = [model.with_suffix(".json"), *(model.with_name(name) for name in _LABEL_FILES)]
    return [path for path in names if path.is_file()]


def is_card(path: Path) -> bool:
    """Tells whether a file is a model's card, rather than a description or nothing."""
    if not path.is_file():
        return False
    try:
        content = parse_json(read_text(path))
    except (OSError, ValueError):
        return True  # whoever reads it as a card says what is wrong with it
    return not isinstance(content, dict) or "files" in content


def describe(model: Path) -> Description:
    """Reads what lies beside a model.

    Raises:
        ModelError: a file that cannot be understood.
    """
    found = Description()
    for path in reversed(companions(model)):
        try:
            text = read_text(path)
            content = parse_json(text) if path.suffix == ".json" else text
        except (OSError, ValueError):
            raise ModelError(f"{path}: cannot be read, and lies beside {model.name}") from None
        if isinstance(content, str):
            found = Description(_labels(path, _lines(content)), found.levels, found.colour)
        else:
            found = _from_card(path, content, found)
    return found


def _lines(text: str) -> list[str]:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    numbered = [line.split(maxsplit=1) for line in lines]
    if all(len(row) == 2 and row[0] == str(n) for n, row in enumerate(numbered)):
        return [row[1] for row in numbered]
    return lines


def _labels(path: Path, labels: Any) -> tuple[str, ...]:
    names = labels if isinstance(labels, list) else []
    whole = all(isinstance(name, str) and name for name in names)
    if len(names) < 2 or not whole or len(set(names)) != len(names):
        raise ModelError(f"{path}: its labels are not two or more different names")
    return tuple(names)


def _from_card(path: Path, content: Any, before: Description) -> Description:
    if not isinstance(content, dict):
        raise ModelError(f"{path}: is no description of a model (not a JSON object)")
    labels, levels, colour = before.labels, None, None
    if "labels" in content:
        labels = _labels(path, content["labels"])
    given = content.get("input")
    # A whole card says what its TFLite file takes.
    if given is None or "files" in content:
        return Description(labels)
    wrong = ModelError(
        f'{path}: its input is not as {{"range": [0, 1], "colour": "RGB"}}, range or colour'
    )
    if not isinstance(given, dict):
        raise wrong
    if "range" in given:
        ends = given["range"]
        numbers = isinstance(ends, list) and all(type(end) in (int, float) for end in ends)
        if not numbers or len(ends) != 2 or not -1e6 < ends[0] < ends[1] < 1e6:
            raise wrong
        levels = (float(ends[0]), float(ends[1]))
    if "colour" in given:
        colour = given["colour"]
        if colour not in ("RGB", "BGR"):
            raise wrong
    return Description(labels, levels, colour)
