"""A study: the folder that an archive's tables are in, and what was asked when it was begun."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from maskdet import __version__
from maskdet.archive.finding import STUDY_FILE
from maskdet.archive.models import fingerprints, labels_of
from maskdet.archive.options import ArchiveOptions, WorkOptions
from maskdet.archive.places import Store
from maskdet.archive.tables import FACES, PIECES, TRACKS
from maskdet.errors import OutputError
from maskdet.files.holding import hold_folder

# Of the layout of the folder and its tables: raised where an older version could not read it.
FORMAT = 1
WORK = ".work"
"""Folder for pieces that wait to be joined."""
_LOCK = ".lock"


@dataclass(frozen=True)
class Study:
    """What was asked, and of which networks.

    Attributes:
        sources: what the user named.
        work: what is done to each video.
        models: name and SHA-256 of the networks' files.
        labels: of the classifier.
    """

    sources: tuple[str, ...]
    work: WorkOptions
    models: tuple[str, ...]
    labels: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Returns it as a JSON-ready object."""
        return {
            "format": FORMAT,
            "version": __version__,
            "sources": list(self.sources),
            "options": self.work.to_json(),
            "models": list(self.models),
            "labels": list(self.labels),
        }


def begin_study(store: Store, options: ArchiveOptions, log: Callable[[str], None]) -> Study:
    """Begins a study in a folder that holds none.

    Raises:
        OutputError: it holds one, or cannot be written.
        ModelError: a network is missing or damaged.
    """
    if store.exists(STUDY_FILE):
        raise OutputError(
            f"{store.name}: holds a study already; --resume {store.name} goes on with it"
        )
    taken = [name for name in (FACES, TRACKS, PIECES) if store.names(name)]
    if taken:
        raise OutputError(
            f"{store.name}: has a folder {taken[0]} that no study wrote; take another --output"
        )
    networks = options.work.networks
    study = Study(
        options.sources,
        options.work,
        tuple(fingerprints(networks, log)),
        labels_of(networks, log),
    )
    store.write(STUDY_FILE, _encoded(study.to_json()))
    return study


def read_study(store: Store) -> Study:
    """Reads what a study was begun with.

    Raises:
        OutputError: there is none, or another version wrote it.
    """
    if not store.exists(STUDY_FILE):
        raise OutputError(f"{store.name}: holds no study; --output begins one")
    try:
        fields = json.loads(store.read(STUDY_FILE))
        if fields["format"] != FORMAT:
            raise OutputError(
                f"{store.name}: was written by maskdet {fields['version']}, whose tables this "
                "version cannot go on with"
            )
        return Study(
            tuple(fields["sources"]),
            WorkOptions.from_json(fields["options"]),
            tuple(fields["models"]),
            tuple(fields["labels"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise OutputError(f"{store.name}/{STUDY_FILE}: is damaged") from None


def refuse_other(store: Store, study: Study, given: dict[str, Any], models: list[str]) -> None:
    """Makes sure that a study is gone on with as it was begun.

    Args:
        store: its folder.
        study: as it was begun.
        given: option to value, of those that the user has given this time: `WorkOptions`' names,
            and those of the networks and of what is done to frames.
        models: name and SHA-256 of the networks' files now.

    Raises:
        OutputError: an option or a network is another one.
    """
    begun = study.work.to_json()
    known = {**begun, **begun["networks"], **begun["stream"]}
    asked = _as_json(study.work, given)
    for name, value in asked.items():
        if known.get(name) != value:
            word = name.replace("_", "-")
            raise OutputError(
                f"{store.name}: was begun with {word} {known.get(name)}, not {value}; leave it "
                "out, or begin another study"
            )
    if list(study.models) != models:
        other = next((one for one in models if one not in study.models), "a network that is gone")
        raise OutputError(
            f"{store.name}: was begun with other networks ({other.split()[0]} differs); begin "
            "another study"
        )


def _as_json(work: WorkOptions, given: dict[str, Any]) -> dict[str, Any]:
    """Returns given options in the form in which they are kept."""
    of_networks = {key: value for key, value in given.items() if hasattr(work.networks, key)}
    of_stream = {key: value for key, value in given.items() if hasattr(work.stream, key)}
    own = {
        key: value
        for key, value in given.items()
        if key not in of_networks and key not in of_stream
    }
    changed = replace(
        work,
        networks=replace(work.networks, **of_networks),
        stream=replace(work.stream, **of_stream),
        **own,
    ).to_json()
    flat = {**changed, **changed["networks"], **changed["stream"]}
    return {name: flat[name] for name in given}


@contextmanager
def locked(store: Store) -> Iterator[None]:
    """Keeps a second run out of a study on this machine's disk while the first works.

    Raises:
        OutputError: another run works there, or the folder cannot be written.
    """
    if store.local is None:
        yield
        return
    hold = hold_folder(store.local, _LOCK, f"{store.name}: another run is at work there")
    try:
        yield
    finally:
        hold.release()


def _encoded(content: object) -> bytes:
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode(
        "utf-8", "backslashreplace"
    )
