"""Finds the videos that the user named: files, folders, patterns, lists and addresses."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from glob import has_magic
from pathlib import Path, PurePosixPath
from typing import Any

from maskdet.addresses import MARK
from maskdet.archive.places import READ_BY_FFMPEG, file_system, is_address, name_of, reason_of
from maskdet.errors import SourceError, UnreachableError
from maskdet.media.files import is_run_folder
from maskdet.media.inputs.folders import matching
from maskdet.media.inputs.formats import kind_of
from maskdet.media.inputs.lists import is_list, read_list
from maskdet.media.inputs.lookup import is_folder, local_path
from maskdet.suffixes import VIDEO_SUFFIXES
from maskdet.wording import counted

STUDY_FILE = "study.json"
"""By this a study's own folder is known, in which nothing is looked for."""


@dataclass(frozen=True)
class FoundFile:
    """A file that may be a video.

    Attributes:
        source: its whole path, or its address.
        size: in bytes; ``None`` where nobody says.
        modified: when it was written last, likewise.
        reason: why it cannot be looked at, if that is known already.
    """

    source: str
    size: int | None = None
    modified: datetime | None = None
    reason: str | None = None


@dataclass
class _PassedOver:
    """What is not looked at, counted, to be told in a line."""

    others: int = 0
    pictures: int = 0


def find_files(texts: tuple[str, ...], log: Callable[[str], None]) -> Iterator[FoundFile]:
    """Finds what the user named, one after another, each file once.

    Args:
        texts: paths, folders, which are searched to the bottom, patterns, lists (``.txt``) and
            addresses.
        log: told what is passed over.

    Raises:
        SourceError: one of them names nothing at all.
    """
    seen: set[str] = set()
    passed = _PassedOver()
    for text in texts:
        for named in _spread(text):
            count = 0
            for found in _named(named, passed):
                count += 1
                if found.source not in seen:
                    seen.add(found.source)
                    yield found
            if count == 0:
                raise SourceError(f"{name_of(named)}: has no videos")
    if passed.pictures:
        log(f"does not look at {counted(passed.pictures, 'picture')}: detect does")
    if passed.others:
        log(f"does not look at {counted(passed.others, 'file')} that are no videos")


def _spread(text: str) -> list[str]:
    if not text.strip():
        raise SourceError("an empty name is no source")
    return read_list(Path(text)) if is_list(text) else [text]


def _named(text: str, passed: _PassedOver) -> Iterator[FoundFile]:
    if text.lower().startswith(READ_BY_FFMPEG):
        yield FoundFile(text)
        return
    if is_address(text):
        yield from _on_server(text, passed)
        return
    text = local_path(text)
    if is_folder(text):
        yield from _in_folder(Path(text), passed)
    elif has_magic(text) and not Path(text).exists():
        for path in matching(text):
            if not any(is_run_folder(parent) or _is_study(parent) for parent in path.parents):
                yield from _if_video(path, passed)
    else:
        path = Path(text)
        if not path.exists():
            raise SourceError(f"{text}: no such file or folder")
        kind = kind_of(path)
        reason = "is a picture, which detect looks at" if kind == "picture" else None
        yield _local(path, reason)


def _in_folder(folder: Path, passed: _PassedOver) -> Iterator[FoundFile]:
    unread: list[OSError] = []
    for root, folders, names in os.walk(folder, onerror=unread.append):
        # In order, and not into what programs hide or maskdet wrote.
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and not is_run_folder(Path(root, name))
            and not _is_study(Path(root, name))
        )
        for name in sorted(names):
            if not name.startswith("."):
                yield from _if_video(Path(root, name), passed)
        while unread:
            error = unread.pop()
            yield FoundFile(
                str(Path(error.filename).absolute()), reason=f"cannot be read ({error.strerror})"
            )
    for error in unread:
        yield FoundFile(
            str(Path(error.filename).absolute()), reason=f"cannot be read ({error.strerror})"
        )


def _is_study(folder: Path) -> bool:
    return (folder / STUDY_FILE).is_file()


def _if_video(path: Path, passed: _PassedOver) -> Iterator[FoundFile]:
    kind = kind_of(path) if path.is_file() else None
    if kind == "video":
        yield _local(path)
    elif kind == "picture":
        passed.pictures += 1
    else:
        passed.others += 1


def _local(path: Path, reason: str | None = None) -> FoundFile:
    path = path.absolute()
    try:
        status = path.stat()
    except OSError as error:
        return FoundFile(str(path), reason=f"cannot be read ({error.strerror})")
    modified = datetime.fromtimestamp(status.st_mtime, UTC)
    if reason is None and status.st_size == 0:
        reason = "is empty"
    return FoundFile(str(path), status.st_size, modified, reason)


def _on_server(address: str, passed: _PassedOver) -> Iterator[FoundFile]:
    """Lists what an address names: by the endings of names, as nothing is read of the files."""
    system, path = file_system(address)
    scheme = address.split(MARK, 1)[0]
    try:
        if has_magic(path):
            entries = iter(system.glob(path, detail=True).values())
        elif system.isfile(path):
            entries = iter([system.info(path)])
        else:
            entries = _walked(system, path)
        for entry in entries:
            if entry.get("type") != "file":
                continue
            # fsspec gives paths without their server where the scheme has one.
            source = system.unstrip_protocol(entry["name"])
            source = f"{scheme}{MARK}{source.split(MARK, 1)[1]}" if MARK in source else source
            if PurePosixPath(source).suffix.lower() in VIDEO_SUFFIXES:
                size = entry.get("size")
                empty = "is empty" if size == 0 else None
                yield FoundFile(source, size, _moment(entry), empty)
            else:
                passed.others += 1
    except FileNotFoundError:
        raise SourceError(f"{name_of(address)}: there is nothing") from None
    except Exception as error:  # noqa: BLE001 - drivers raise their libraries' own kinds
        raise UnreachableError(
            f"{name_of(address)}: cannot be listed ({reason_of(error)})"
        ) from None


def _walked(system: Any, path: str) -> Iterator[dict[str, Any]]:
    """Lists a folder to the bottom, folder by folder, so that millions of names fit."""
    for _, folders, files in system.walk(path, detail=True, on_error="raise"):
        study = STUDY_FILE in files
        for name in sorted(folders):
            if name.startswith(".") or study:
                del folders[name]
        if not study:
            yield from (files[name] for name in sorted(files) if not name.startswith("."))


def _moment(entry: dict[str, Any]) -> datetime | None:
    moment = entry.get("LastModified") or entry.get("mtime") or entry.get("updated")
    if isinstance(moment, int | float):
        return datetime.fromtimestamp(moment, UTC)
    if isinstance(moment, datetime):
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None
