"""Finds pictures by what annotations call them, which other systems may have written."""

from collections import defaultdict
from itertools import takewhile
from pathlib import Path, PurePosixPath

from maskdet.annotations.photographs import find_pictures
from maskdet.files.text_files import composed
from maskdet.suffixes import PICTURE_SUFFIXES


class PictureIndex:
    """Finds the pictures of a folder by what annotations call them.

    Args:
        folder: pictures, in folders of their own or not.

    Raises:
        DatasetError: no such folder, or there is no picture in it.
    """

    def __init__(self, folder: Path) -> None:
        self.paths = find_pictures(folder)
        # From likely to less so: the path below the folder, the file's name, that in any capitals.
        self._known: tuple[dict[str, list[Path]], ...] = tuple(defaultdict(list) for _ in range(3))
        for path in self.paths:
            below = path.relative_to(folder)
            ways = (
                {below.as_posix(), below.with_suffix("").as_posix()},
                {path.name, path.stem},
                {path.name.casefold(), path.stem.casefold()},
            )
            for known, names in zip(self._known, ways, strict=True):
                for name in names:
                    known[composed(name)].append(path)

    def find(self, name: str) -> list[Path]:
        """Returns the pictures that a name may mean, none if it is unknown here.

        Of several of one name those are meant whose folders are called as in the name, too.
        """
        path = PurePosixPath(composed(name.replace("\\", "/")))
        # "a.b" may stand for "a.b.jpg", not for "a.jpg".
        bare = path.stem if path.suffix.lower() in PICTURE_SUFFIXES else path.name
        by_path, by_name, by_folded = self._known
        for known, key in (
            (by_path, path.as_posix()),
            (by_name, path.name),
            (by_name, bare),
            (by_folded, path.name.casefold()),
            (by_folded, bare.casefold()),
        ):
            found = known.get(key)
            if found:
                shared = [_shared_folders(path, picture) for picture in found]
                most = max(shared)
                return [one for one, count in zip(found, shared, strict=True) if count == most]
        return []


def _shared_folders(first: PurePosixPath, second: Path) -> int:
    """Returns how many folders up from their files two paths have the same names."""
    one, other = (
        [composed(part).casefold() for part in reversed(path.parts[:-1])]
        for path in (first, second)
    )
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
