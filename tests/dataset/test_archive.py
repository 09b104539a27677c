"""Unpacking archives from elsewhere: hostile and damaged ones."""

import io
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest

from archives import made_zip
from maskdet.dataset.archive import unpack
from maskdet.dataset.download import download
from maskdet.errors import DatasetError

CLASSES = {"data/with": "with_mask", "data/without": "without_mask"}


def silent(_: float, __: str) -> None:
    """Shows nothing."""


def link(name: str) -> zipfile.ZipInfo:
    """Returns a zip entry that is a symbolic link."""
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("member", "words"),
    [
        (("../../escape.jpg", b"x"), "leads out of its folder"),
        (("set-abc/data/with/../../../../escape.jpg", b"x"), "leads out of its folder"),
        (("/escape.jpg", b"x"), "leads out of its folder"),
        (("..\\escape.jpg", b"x"), "leads out of its folder"),
        (("C:/escape.jpg", b"x"), "leads out of its folder"),
        ((link("set-abc/data/with/link.jpg"), b"/etc/passwd"), "has a link"),
    ],
)
def test_archives_that_try_to_escape(
    tmp_path: Path, member: tuple[str | zipfile.ZipInfo, bytes], words: str
) -> None:
    """The whole archive is refused, and nothing is written anywhere."""
    archive = tmp_path / "set.zip"
    archive.write_bytes(made_zip(member))
    with pytest.raises(DatasetError, match=words):
        unpack(archive, tmp_path / "out", CLASSES, show=silent)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set.zip"]


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damaged_archives(tmp_path: Path, compression: int) -> None:
    """Whatever bytes are wrong, and however packed: refused in one line, or unpacked."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as made:
        made.writestr("set-abc/data/with/é.jpg", bytes(range(256)) * 4)
    whole, random = stream.getvalue(), np.random.default_rng(0)
    archive = tmp_path / "set.zip"
    refused = 0
    for place in random.integers(0, len(whole), 200).tolist():
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        archive.write_bytes(damaged)
        try:
            unpack(archive, tmp_path / "out", CLASSES, show=silent)
        except DatasetError:
            refused += 1
    assert refused > 100


def test_names_that_become_one(tmp_path: Path) -> None:
    """No picture overwrites another, so that the count is that of the files; "." is no harm."""
    archive = tmp_path / "set.zip"
    names = (
        "set-abc/data/with/a?.jpg",
        "set-abc/data/with/a_.jpg",
        "set-abc/data/with/A_.jpg",
        ".",
    )
    with zipfile.ZipFile(archive, "w") as made:
        for name in names:
            made.writestr(name, name)
    assert unpack(archive, tmp_path / "out", CLASSES, show=silent)["with_mask"] == 3
    assert len(list((tmp_path / "out" / "with_mask").iterdir())) == 3


def test_archives_far_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Size limits hold for a file, for all together and for the download."""
    archive = tmp_path / "set.zip"
    archive.write_bytes(made_zip())
    for name, limit in (("MOST_BYTES_A_FILE", 49_999), ("MOST_BYTES", 100_000), ("MOST_FILES", 3)):
        with monkeypatch.context() as patch:
            patch.setattr(f"maskdet.dataset.archive.{name}", limit)
            with pytest.raises(DatasetError, match=r"too (large|much): refused"):
                unpack(archive, tmp_path / "out", CLASSES, show=silent)
    with pytest.raises(DatasetError, match="is larger than 0 MB: refused"):
        download(archive.as_uri(), tmp_path / "x", expected=None, largest=1000, show=silent)
