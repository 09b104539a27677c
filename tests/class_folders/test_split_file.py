"""The file that says which part each picture went to."""

from pathlib import Path

import pytest

from maskdet.class_folders.split_file import SPLIT_FILE, SplitRow, read_split, write_split
from maskdet.errors import DatasetError


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """With and without a box; names with commas."""
    rows = [
        SplitRow(tmp_path / "a,b.jpg", "with_mask", "3", "train", (1.0, 2.0, 30.5, 40.0)),
        SplitRow(tmp_path / "c.jpg", "without_mask", "4", "test"),
    ]
    write_split(tmp_path, rows)
    assert read_split(tmp_path / SPLIT_FILE) == rows


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "names no picture"),
        ("file,label,group,split\na,b,c,nowhere\n", ":2: is not a line"),
        ("file,label\na,b\n", ":2: is not a line"),
        (None, "cannot be read"),
    ],
)
def test_what_is_no_such_file(tmp_path: Path, text: str | None, words: str) -> None:
    """One line that names it."""
    if text is not None:
        (tmp_path / "x.csv").write_text(text)
    with pytest.raises(DatasetError, match=words):
        read_split(tmp_path / "x.csv")
