"""JSON and TOML of others: every encoding is read, everything else is one line."""

import math
from pathlib import Path

import pytest

from maskdet.errors import DatasetError, MaskdetError, ModelError
from maskdet.files.documents import DEEPEST, is_number, parse_json, read_json, read_toml

READERS = [read_json, read_toml]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_marks_of_windows_are_understood(tmp_path: Path, encoding: str) -> None:
    """UTF-8 with and without its mark, UTF-16 and ANSI, as in the case windows_text."""
    path = tmp_path / "x"
    path.write_text('{"name": "Müller"}\r\n', encoding=encoding)
    assert read_json(path, ModelError) == {"name": "Müller"}
    path.write_text('name = "Müller"\r\n', encoding=encoding)
    assert read_toml(path, ModelError) == {"name": "Müller"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "Expecting value"),
        (b"{", "Expecting property name"),
        (b"\xff\xfe{", "Expecting value"),
        (b"\x00\x01\x02", "Expecting value"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[" * 100 + b"]" * 100, "nested too deeply"),
        (b'{"a":' * 100 + b"1" + b"}" * 100, "nested too deeply"),
        (b"[1, " + b"9" * 5000 + b"]", "Exceeds the limit"),
    ],
    ids=["empty", "cut off", "half", "binary", "abyss", "deep", "objects", "digits"],
)
def test_json_that_is_none(tmp_path: Path, content: bytes, words: str) -> None:
    """Each is one line that names the file, of the kind of error asked for."""
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=rf"x\.json: is not JSON \(.*{words}") as caught:
        read_json(path, DatasetError)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"= 3", "Invalid statement"),
        (b"a = " + b"[" * 100_000, "nested too deeply"),
        (b"a = " + b"[" * 100 + b"]" * 100, "nested too deeply"),
        (b".".join([b"a"] * 3000) + b" = 1", "nested too deeply"),
        (b"a = " + b"9" * 5000, "Exceeds the limit"),
    ],
    ids=["broken", "abyss", "deep", "keys", "digits"],
)
def test_toml_that_is_none(tmp_path: Path, content: bytes, words: str) -> None:
    """Likewise."""
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=rf"x\.toml: is not TOML \(.*{words}") as caught:
        read_toml(path, DatasetError)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("read", READERS)
def test_files_that_cannot_be_read(tmp_path: Path, read: object) -> None:
    """A file that is missing, and one that is a folder."""
    assert callable(read)
    with pytest.raises(MaskdetError, match="gone: no such file"):
        read(tmp_path / "gone", MaskdetError)
    with pytest.raises(MaskdetError, match="cannot be read"):
        read(tmp_path, MaskdetError)


def test_what_is_deep_enough_for_anybody_is_read() -> None:
    """Up to the limit, and wide is not deep."""
    assert parse_json("[" * DEEPEST + "]" * DEEPEST)
    assert len(parse_json(f"[{'[],' * 50_000}[]]")) == 50_001


def test_numbers() -> None:
    """What can be computed with is a number: not true, nor infinity, nor what is beyond a float."""
    assert all(map(is_number, (0, -1, 2.5, 1e308)))
    assert not any(map(is_number, (None, True, "1", [], math.nan, math.inf, -math.inf, 10**400)))
