"""Values out of a TOML table, each checked, and an error that names key and line for what is not.

A table is asked for each key it may have; what nobody asked for is a key that does not exist.
"""

import difflib
import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maskdet.errors import OptionError
from maskdet.serve.site.lines import Path as KeyPath
from maskdet.serve.site.lines import line_of

# ${NAME} of the environment, ${file:PATH} for what a file holds.
_SECRET = re.compile(r"\$\{(?:(file):)?([^}]+)\}")


class Table:
    """A table of a site file.

    Args:
        content: as read.
        file: the site file, for messages.
        lines: see `maskdet.serve.site.lines.key_lines`.
        path: where in the file it is.
    """

    def __init__(
        self,
        content: Mapping[str, Any],
        file: Path,
        lines: dict[KeyPath, int],
        path: KeyPath = (),
    ) -> None:
        self._content = content
        self._file = file
        self._lines = lines
        self._path = path
        self._asked: set[str] = set()

    def error(self, key: str | None, problem: str) -> OptionError:
        """Returns what to raise over a key, or over the table itself."""
        path = self._path if key is None else (*self._path, key)
        name = ".".join(word for word in path if isinstance(word, str))
        line = line_of(self._lines, path)
        return OptionError(f"{self._file}, line {line}: {name + ': ' if name else ''}{problem}")

    def done(self) -> None:
        """Refuses keys that nobody asked for.

        Raises:
            OptionError: there is one.
        """
        for key in self._content:
            if key in self._asked:
                continue
            near = difflib.get_close_matches(key, self._asked, 1)
            hint = f"; did you mean {near[0]}?" if near else f": {', '.join(sorted(self._asked))}"
            raise self.error(key, f"there is no such key here{hint}")

    def has(self, key: str) -> bool:
        """Tells whether a key was given."""
        self._asked.add(key)
        return key in self._content

    def text(self, key: str, default: str | None = None) -> str | None:
        """Returns a text that is not empty; secrets in it are filled in."""
        if not self.has(key):
            return default
        value = self._content[key]
        if not isinstance(value, str) or not value.strip():
            raise self.error(key, "must be text in quotation marks")
        return self._filled(key, value)

    def needed_text(self, key: str) -> str:
        """Returns a text that must be given."""
        text = self.text(key)
        if text is None:
            raise self.error(None, f"{key} is missing")
        return text

    def texts(self, key: str) -> tuple[str, ...] | None:
        """Returns a list of texts, ``None`` where it was not given."""
        if not self.has(key):
            return None
        value = self._content[key]
        if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
            raise self.error(key, 'must be a list of texts, such as ["one", "two"]')
        return tuple(self._filled(key, one) for one in value)

    def choice(self, key: str, choices: tuple[Any, ...], default: Any) -> Any:
        """Returns one of a few values."""
        if not self.has(key):
            return default
        value = self._content[key]
        if isinstance(value, bool) or value not in choices:
            raise self.error(key, f"must be one of {', '.join(map(str, choices))}")
        return value

    def flag(self, key: str, default: bool) -> bool:
        """Returns true or false."""
        if not self.has(key):
            return default
        value = self._content[key]
        if not isinstance(value, bool):
            raise self.error(key, "must be true or false")
        return value

    def number(
        self,
        key: str,
        default: float | None,
        least: float = 0.0,
        most: float = math.inf,
    ) -> float | None:
        """Returns a number between two."""
        if not self.has(key):
            return default
        value = self._content[key]
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not least <= value <= most:
            between = (
                f"of at least {least:g}" if math.isinf(most) else f"from {least:g} to {most:g}"
            )
            raise self.error(key, f"must be a number {between}")
        return float(value)

    def whole(self, key: str, default: int | None, least: int, most: int) -> int | None:
        """Returns a whole number between two."""
        value = self.number(key, default, least, most)
        if value is not None and value != int(value):
            raise self.error(key, "must be a whole number")
        return None if value is None else int(value)

    def file(self, key: str, default: Path | None) -> Path | None:
        """Returns a path, which is counted from the site file's folder."""
        text = self.text(key)
        if text is None:
            return default
        return self._file.parent / Path(text).expanduser()

    def table(self, key: str) -> "Table | None":
        """Returns a table in it, ``None`` where there is none."""
        if not self.has(key):
            return None
        value = self._content[key]
        if not isinstance(value, dict):
            raise self.error(key, f"must be a table: [{key}]")
        return Table(value, self._file, self._lines, (*self._path, key))

    def tables(self, key: str) -> list["Table"]:
        """Returns the tables of an array."""
        if not self.has(key):
            return []
        value = self._content[key]
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise self.error(key, f"must be tables: [[{key}]]")
        return [
            Table(one, self._file, self._lines, (*self._path, key, place))
            for place, one in enumerate(value)
        ]

    def points(self, key: str) -> tuple[tuple[float, float], ...]:
        """Returns places in a frame, in shares of its width and height."""
        self._asked.add(key)
        value = self._content.get(key)
        good = isinstance(value, list) and all(
            isinstance(point, list)
            and len(point) == 2
            and all(isinstance(one, int | float) and 0 <= one <= 1 for one in point)
            for point in value
        )
        if not good:
            raise self.error(
                key if value is not None else None,
                f"{'' if value is not None else key + ' '}must be places such as "
                "[[0.1, 0.2], [0.9, 0.8]], in shares of the frame",
            )
        assert isinstance(value, list)
        return tuple((float(x), float(y)) for x, y in value)

    def _filled(self, key: str, text: str) -> str:
        """Puts in what the environment and files hold; the value itself is never said."""

        def fill(found: re.Match[str]) -> str:
            is_file, name = found.groups()
            if not is_file:
                if name not in os.environ:
                    raise self.error(key, f"the environment has no {name}")
                return os.environ[name]
            path = self._file.parent / Path(name).expanduser()
            try:
                return path.read_text().strip()
            except (OSError, UnicodeDecodeError):
                raise self.error(key, f"{path} cannot be read") from None

        return _SECRET.sub(fill, text)
