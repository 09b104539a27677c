"""Text files as people's programs save them, and names in either spelling."""

import codecs
import unicodedata
from pathlib import Path

import pytest

from maskdet.files.text_files import as_on_disk, composed, decode_text, read_text

TEXT = "größe.jpg\ncafé.jpg\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_any_programs_text(tmp_path: Path, encoding: str, newline: str) -> None:
    """What Notepad, Excel and others save is the same text, without a mark, in plain lines."""
    path = tmp_path / "list.txt"
    path.write_bytes(TEXT.replace("\n", newline).encode(encoding))
    assert read_text(path) == TEXT


@pytest.mark.parametrize(
    "data",
    [
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        codecs.BOM_UTF32_BE + TEXT.encode("utf-32-be"),
    ],
    ids=["big-endian", "no mark", "big-endian, no mark", "big-endian UTF-32"],
)
def test_wide_text_in_either_order(data: bytes) -> None:
    """Either order of bytes is read, with a mark and without."""
    assert decode_text(data) == TEXT


def test_what_no_encoding_knows() -> None:
    """Bytes that Windows-1252 lacks, half a sign, nothing at all: read as far as it goes."""
    assert decode_text(b"a\x81\xe9") == "a\N{REPLACEMENT CHARACTER}é"
    assert decode_text(codecs.BOM_UTF16_LE + b"a\0b").startswith("a")
    assert decode_text(b"") == ""
    assert decode_text(codecs.BOM_UTF8) == ""


def test_files_joined_to_one() -> None:
    """The mark of the second file is no part of its first line."""
    assert decode_text(2 * (codecs.BOM_UTF8 + b"a\n")) == "a\na\n"


def test_a_name_spelled_another_way(tmp_path: Path) -> None:
    """A path is found whichever way its accents, and those of its folders, are written."""
    decomposed = unicodedata.normalize("NFD", "café/é1.jpg")
    (tmp_path / decomposed).parent.mkdir()
    (tmp_path / decomposed).touch()
    assert composed(decomposed) == "café/é1.jpg"
    assert as_on_disk(tmp_path / "café" / "é1.jpg").is_file()
    assert as_on_disk(tmp_path / decomposed) == tmp_path / decomposed
    assert as_on_disk(tmp_path / "cafe" / "é1.jpg") == tmp_path / "cafe" / "é1.jpg"
    assert as_on_disk(Path("no such é.jpg")) == Path("no such é.jpg")
    assert as_on_disk(Path("é" * 300)) == Path("é" * 300)
