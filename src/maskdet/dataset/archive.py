"""Unpacks the pictures of a zip archive from elsewhere, which is not to be trusted."""

import lzma
import re
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from maskdet.dataset.folders import FreeNames, safe_name
from maskdet.errors import DatasetError
from maskdet.suffixes import PICTURE_SUFFIXES

# Far beyond any data set of faces; a zip bomb is beyond that.
MOST_FILES = 200_000
MOST_BYTES = 20_000_000_000
MOST_BYTES_A_FILE = 100_000_000


def unpack(
    archive: Path,
    folder: Path,
    classes: Mapping[str, str],
    *,
    show: Callable[[float, str], None],
) -> Counter[str]:
    """Unpacks the pictures of some folders of an archive into class folders.

    Args:
        archive: a zip file.
        folder: where the class folders go.
        classes: folder inside the archive, below its top folder, to class name.
        show: takes the fraction that is done and a short text.

    Returns:
        Pictures by class.

    Raises:
        DatasetError: it is damaged or no zip, has names that lead out of the folder, links, or is
            far too large; nothing beyond `folder` is touched.
        OSError: it cannot be written.
    """
    counts: Counter[str] = Counter()
    free = FreeNames()
    with _whole(archive):
        opened = zipfile.ZipFile(archive)
    with opened:
        members = opened.infolist()
        _check(archive, members)
        for done, member in enumerate(members, 1):
            show(done / len(members), "unpacking")
            path = PurePosixPath(member.filename)
            inside = PurePosixPath(*path.parts[1:-1]).as_posix()
            if member.is_dir() or inside not in classes:
                continue
            if path.suffix.lower() not in PICTURE_SUFFIXES:
                continue
            with _whole(archive):
                data = opened.read(member)
            target = folder / free.take(f"{classes[inside]}/{safe_name(path.name)}")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            counts[classes[inside]] += 1
    return counts


def stated_commit(archive: Path) -> str:
    """Returns the commit that git says an archive was made of, empty where it says none.

    Raises:
        DatasetError: it is damaged or no zip.
    """
    with _whole(archive), zipfile.ZipFile(archive) as opened:
        comment = opened.comment.decode("ascii", errors="replace")
    return comment if re.fullmatch("[0-9a-f]{40}", comment) else ""


@contextmanager
def _whole(archive: Path) -> Iterator[None]:
    """Says so where an archive turns out to be damaged, whichever way the decoders put it."""
    try:
        yield
    except (
        zipfile.BadZipFile,
        zlib.error,
        lzma.LZMAError,
        struct.error,
        EOFError,
        NotImplementedError,
        OSError,
        RuntimeError,
        ValueError,
    ) as error:
        raise DatasetError(f"{archive}: is not a whole zip archive ({error})") from None


def _check(archive: Path, members: list[zipfile.ZipInfo]) -> None:
    """Refuses an archive as a whole: one bad name makes the rest suspect."""
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or any(":" in part for part in path.parts[:1]):
            raise DatasetError(
                f"{archive}: has a file that leads out of its folder ({member.filename}): refused"
            )
        if stat.S_ISLNK(member.external_attr >> 16):
            raise DatasetError(f"{archive}: has a link in it ({member.filename}): refused")
        if member.file_size > MOST_BYTES_A_FILE:
            raise DatasetError(f"{archive}: {member.filename} is far too large: refused")
    if len(members) > MOST_FILES or sum(member.file_size for member in members) > MOST_BYTES:
        raise DatasetError(f"{archive}: unpacks to far too much: refused")
