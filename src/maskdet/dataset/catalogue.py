"""The public data sets that `maskdet dataset fetch` knows by name."""

from collections.abc import Mapping
from dataclasses import dataclass

from maskdet.detections import MASK_LABEL, NO_MASK_LABEL
from maskdet.errors import DatasetError


@dataclass(frozen=True)
class Entry:
    """A data set that can be fetched.

    Attributes:
        name: what the user calls it.
        commit: which version it is; code hosts write it into their archives.
        url: a zip archive of that version.
        sha256: of the archive; ``None`` where its host publishes none and makes the archive anew
            on demand. The counts are checked either way.
        licence: as stated by its authors.
        classes: folder inside the archive (below its top folder) to class name.
        counts: pictures a class.
        note: what to know before using it.
    """

    name: str
    commit: str
    url: str
    sha256: str | None
    licence: str
    classes: Mapping[str, str]
    counts: Mapping[str, int]
    note: str


_OBSERVATIONS_COMMIT = "76bc82fa34f4f602a03bf6e2ee8666ff6c893edb"

CATALOGUE = {
    entry.name: entry
    for entry in (
        Entry(
            name="prajnasb/observations",
            commit=_OBSERVATIONS_COMMIT,
            url=f"https://codeload.github.com/prajnasb/observations/zip/{_OBSERVATIONS_COMMIT}",
            sha256=None,
            licence="none stated",
            classes={
                "experiements/data/with_mask": MASK_LABEL,
                "experiements/data/without_mask": NO_MASK_LABEL,
            },
            counts={MASK_LABEL: 690, NO_MASK_LABEL: 686},
            note="masks pasted on by landmarks; many near-duplicates: run `maskdet dataset check`",
        ),
    )
}


def find_entry(name: str) -> Entry:
    """Finds a data set by its name.

    Raises:
        DatasetError: there is none of that name.
    """
    try:
        return CATALOGUE[name]
    except KeyError:
        known = ", ".join(CATALOGUE)
        raise DatasetError(f"no data set is called {name!r}; there are: {known}") from None
