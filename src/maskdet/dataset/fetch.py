"""`maskdet dataset fetch`: a public data set by name, verified, as class folders."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from maskdet.assets import cache_folder, sha256
from maskdet.dataset.archive import stated_commit, unpack
from maskdet.dataset.catalogue import Entry, find_entry
from maskdet.dataset.download import download
from maskdet.dataset.folders import check_free, new_folder, safe_name
from maskdet.errors import DatasetError

LARGEST_ARCHIVE = 4_000_000_000  # bytes


@dataclass(frozen=True)
class FetchOptions:
    """What to fetch.

    Attributes:
        name: in the catalogue.
        output: folder to write; ``None`` for ``dataset/<last part of the name>``.
        url: another address of the same archive, such as a mirror.
        sha256: what the archive must have, beside what the catalogue says.
    """

    name: str
    output: Path | None = None
    url: str | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Fetched:
    """What was fetched.

    Attributes:
        entry: of the catalogue.
        folder: where it is.
        sha256: of its archive.
    """

    entry: Entry
    folder: Path
    sha256: str


def fetch(options: FetchOptions, *, show: Callable[[float, str], None]) -> Fetched:
    """Downloads, verifies and unpacks a data set.

    The download is kept in the user's cache while it is unfinished, and removed at the end.

    Args:
        options: what to fetch.
        show: takes the fraction that is done and a short text.

    Raises:
        DatasetError: no such name, no network, a broken connection, or another archive than
            expected.
        OutputError: the folder is not free or cannot be written; nothing of it is left then.
    """
    entry = find_entry(options.name)
    folder = options.output or Path("dataset") / entry.name.rsplit("/", 1)[-1]
    check_free(folder)
    archive = cache_folder() / f"{safe_name(entry.name)}.zip"
    expected = (options.sha256 or entry.sha256 or "").lower() or None
    download(
        options.url or entry.url, archive, expected=expected, largest=LARGEST_ARCHIVE, show=show
    )
    try:
        digest = sha256(archive)
        commit = stated_commit(archive)
        if commit not in ("", entry.commit):
            raise DatasetError(
                f"{entry.name}: the archive is of commit {commit}, expected "
                f"{entry.commit}: not kept"
            )
        with new_folder(folder) as partial:
            counts = unpack(archive, partial, entry.classes, show=show)
            if dict(counts) != dict(entry.counts):
                found = ", ".join(f"{counts[label]} {label}" for label in entry.counts)
                wanted = ", ".join(f"{count} {label}" for label, count in entry.counts.items())
                raise DatasetError(f"{entry.name}: has {found}, expected {wanted}: not kept")
    finally:
        archive.unlink(missing_ok=True)
    return Fetched(entry, folder, digest)
