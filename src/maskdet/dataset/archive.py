"""Unpacks the pictures of a zip archive from elsewhere, which is not to be trusted."""

import shutil
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

from maskdet.annotations import PICTURE_SUFFIXES
from maskdet.dataset.folders import safe_name
from maskdet.errors import DatasetError

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
    try:
        with zipfile.ZipFile(archive) as opened:
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
                target = folder / classes[inside] / safe_name(path.name)
                target.parent.mkdir(parents=True, exist_ok=True)
                with opened.open(member) as source, target.open("wb") as sink:
                    shutil.copyfileobj(source, sink)
                counts[classes[inside]] += 1
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        raise DatasetError(f"{archive}: is not a whole zip archive ({error})") from None
    return counts


def _check(archive: Path, members: list[zipfile.ZipInfo]) -> None:
    """Refuses an archive as a whole: one bad name makes the rest suspect."""
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
            raise DatasetError(
                f"{archive}: has a file that leads out of its folder ({member.filename}): refused"
            )
        if stat.S_ISLNK(member.external_attr >> 16):
            raise DatasetError(f"{archive}: has a link in it ({member.filename}): refused")
        if member.file_size > MOST_BYTES_A_FILE:
            raise DatasetError(f"{archive}: {member.filename} is far too large: refused")
    if len(members) > MOST_FILES or sum(member.file_size for member in members) > MOST_BYTES:
        raise DatasetError(f"{archive}: unpacks to far too much: refused")
