"""What there is to look at in a folder, and what is passed over, which is told."""

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from maskdet.media.files import is_run_folder
from maskdet.media.inputs.formats import kind_of
from maskdet.media.inputs.lookup import is_regular
from maskdet.suffixes import RAW_SUFFIXES, SIDECAR_SUFFIXES
from maskdet.wording import counted

# So many names stand in one line; of more files it says how many there are of each ending.
_MOST_NAMES = 5


@dataclass
class Found:
    """What a folder, or a pattern, led to.

    Attributes:
        media: pictures and videos, sorted.
        others: files that are neither, sorted.
        own: folders of what maskdet wrote, now or before.
        deeper: folders that were not looked into.
        failures: one line for each folder that cannot be read.
    """

    media: list[Path] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)
    own: list[Path] = field(default_factory=list)
    deeper: list[Path] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def tell(self, name: str, log: Callable[[str], None], *, each: bool = False) -> None:
        """Says what is passed over.

        Args:
            name: what the user named.
            log: told a line or two.
            each: whether every file is named.
        """
        named = [path for path in self.others if path.suffix.lower() not in SIDECAR_SUFFIXES]
        beside = [path for path in self.others if path.suffix.lower() in SIDECAR_SUFFIXES]
        if each:
            for path in self.others:
                raw = path.suffix.lower() in RAW_SUFFIXES
                what = "a camera's raw picture" if raw else "no picture or video"
                log(f"{path}: is not looked at ({what})")
        elif named:
            names = ", ".join(path.name for path in named)
            many = len(named) > _MOST_NAMES
            more = f", and {counted(len(beside), 'file')} beside them" if beside else ""
            log(f"{name}: does not look at {_kinds(named) if many else names}{more}")
        elif beside:
            log(f"{name}: does not look at {_kinds(beside)}")
        if self.own:
            names = ", ".join(map(str, self.own[:_MOST_NAMES]))
            more = f" and {len(self.own) - _MOST_NAMES} more" if self.own[_MOST_NAMES:] else ""
            log(f"{name}: does not look at what maskdet wrote: {names}{more}")
        if self.deeper:
            folders = counted(len(self.deeper), "folder")
            log(f"{name}: does not look into {folders} in it; --recursive does")


def search_folder(
    folder: Path,
    *,
    recursive: bool,
    own: Collection[Path] = (),
    log: Callable[[str], None] = lambda _: None,
) -> Found:
    """Finds the pictures and videos of a folder; what is hidden is left out, as a shell does.

    Args:
        folder: where to look. It may be one that maskdet wrote, as it was named.
        recursive: whether the folders in it are looked into, too.
        own: folders that this run is to write into.
        log: told, a line each, of pipes and their like, which nothing is read of.
    """
    found = Found()
    unread: list[OSError] = []
    written = {path.resolve() for path in own}
    files: list[Path] = []
    for root, folders, names in os.walk(folder, onerror=unread.append):
        files += [Path(root, name) for name in names if not name.startswith(".")]
        below = sorted(Path(root, name) for name in folders if not name.startswith("."))
        if not recursive:
            found.deeper += below
            break
        mine = [path for path in below if is_run_folder(path) or path.resolve() in written]
        found.own += mine
        folders[:] = [path.name for path in below if path not in mine]
    found.failures += [f"{error.filename}: cannot be read ({error.strerror})" for error in unread]
    # A pipe would be waited for.
    _sort(sorted(path for path in files if is_regular(path, log)), found)
    return found


def search_pattern(pattern: str) -> Found:
    """Finds the pictures and videos that a pattern such as ``photos/*.jpg`` matches."""
    files = matching(pattern)
    found = Found()
    if "runs" not in Path(pattern).parts:
        found.own = sorted({run for path in files for run in path.parents if is_run_folder(run)})
    mine = set(found.own)
    _sort([path for path in files if mine.isdisjoint(path.parents)], found)
    return found


def matching(pattern: str) -> list[Path]:
    """Lists the files that a pattern matches, sorted."""
    base = Path(Path(pattern).anchor)
    paths = sorted(base.glob(str(Path(pattern).relative_to(base))))
    return [path for path in paths if path.is_file()]


def _sort(files: Iterable[Path], found: Found) -> None:
    for path in files:
        (found.others if kind_of(path) is None else found.media).append(path)


def _kinds(files: Sequence[Path]) -> str:
    kinds = Counter(path.suffix.lower() or "no ending" for path in files)
    listed = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
    return f"{counted(len(files), 'file')} ({listed})"
