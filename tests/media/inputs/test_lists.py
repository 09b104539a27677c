"""Lists of sources, and names of files, as people's programs and systems write them."""

import shutil
import unicodedata
from pathlib import Path

import pytest

from maskdet.errors import SourceError
from maskdet.media.sources import open_sources


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_list_saved_by_any_program(
    tmp_path: Path, samples: Path, encoding: str, form: str
) -> None:
    """As in the case `windows_text`, and with a file whose accent is spelled either way on disk."""
    on_disk = tmp_path / unicodedata.normalize(form, "müde.jpg")
    shutil.copy(samples / "coffee.jpg", on_disk)
    shutil.copy(samples / "coffee.jpg", tmp_path / "b.jpg")
    text = "# Quellen für heute\r\nmüde.jpg\r\nb.jpg\r\n"
    (tmp_path / "list.txt").write_bytes(text.encode(encoding))
    (source,) = open_sources([str(tmp_path / "list.txt")])
    assert [frame.source for frame in source] == [str(on_disk), str(tmp_path / "b.jpg")]


def test_a_name_spelled_another_way(tmp_path: Path, samples: Path) -> None:
    """A file or folder from a Mac is found by the name as it is typed."""
    folder = tmp_path / unicodedata.normalize("NFD", "été")
    folder.mkdir()
    shutil.copy(samples / "coffee.jpg", folder / "a.jpg")
    for text in ("été", "été/a.jpg"):
        (source,) = open_sources([str(tmp_path / text)])
        assert source.name == str(tmp_path / unicodedata.normalize("NFD", text))
    with pytest.raises(SourceError, match="ete: no such file"):
        open_sources([str(tmp_path / "ete")])


def test_lists_that_name_nothing(tmp_path: Path) -> None:
    """An empty list, in any encoding, is a mistake."""
    for text in ("", "\ufeff", "# nothing\n"):
        (tmp_path / "list.txt").write_text(text, encoding="utf-16")
        with pytest.raises(SourceError, match="names no source"):
            open_sources([str(tmp_path / "list.txt")])
