"""What is measured on: the pictures of class folders or of a run, and a digest to know data by."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from maskdet.assets import sha256
from maskdet.class_folders.listing import Picture, held_out, list_pictures, not_looked_at
from maskdet.class_folders.split_file import SPLIT_FILE, read_split
from maskdet.errors import DatasetError, ModelError
from maskdet.evaluate.options import (
    FolderOptions,
    PhotographOptions,
    RunPartOptions,
    Subject,
    VideoOptions,
)
from maskdet.files.documents import read_toml
from maskdet.files.folders import files_below

_CONFIG, _OWN_MODEL = "config.toml", "mask_detector"  # of a training run


@dataclass(frozen=True)
class Listed:
    """Pictures to classify.

    Attributes:
        pictures: in a fixed order.
        where: for messages.
        part: which part of a divided folder or of a run they are; ``None`` for all.
        problems: one line for each file that is not looked at.
    """

    pictures: Sequence[Picture]
    where: Path
    part: str | None
    problems: tuple[str, ...] = ()


def list_subject(options: FolderOptions | RunPartOptions) -> Listed:
    """Lists the pictures of class folders, or those of a run's part.

    Raises:
        DatasetError: there are none.
    """
    if isinstance(options, FolderOptions):
        pictures, part = held_out(list_pictures(options.dataset))
        problems = tuple(f"{path}: is not looked at" for path in not_looked_at(options.dataset))
        if not pictures:
            raise DatasetError(f"{options.dataset}: no class folders with pictures in them")
        return Listed(pictures, options.dataset, part, problems)
    rows = read_split(options.run / SPLIT_FILE)
    chosen = [
        Picture(row.path, row.label, 0, row.box, row.group, row.split)
        for row in rows
        if row.split == options.part
    ]
    if not chosen:
        there = ", ".join(sorted({row.split for row in rows}))
        raise DatasetError(f"{options.run}: has no {options.part!r} part; there are {there}")
    return Listed(chosen, options.run, options.part)


def model_of_run(run: Path) -> Path:
    """Returns the card of the model that a run has written.

    Raises:
        ModelError: there is none, or the folder is no run.
    """
    config = run / _CONFIG
    if not config.is_file():
        raise ModelError(f"{run}: is no folder of a training run, it holds no {_CONFIG}")
    output = read_toml(config, ModelError).get("output")
    name = Path(output) if isinstance(output, str) else run / _OWN_MODEL
    card = name.with_name(f"{name.name}.json")
    if not card.is_file():
        raise ModelError(
            f"{card}: is not there: the run has not come to its end; --model names one"
        )
    return card


def digest(subject: Subject) -> str:
    """Returns what data is known by: what its files hold and what is right, not where they lie.

    Raises:
        DatasetError: it cannot be read.
    """
    try:
        lines = sorted(_lines(subject))
    except OSError as error:
        raise DatasetError(f"{error.filename}: cannot be read ({error.strerror})") from None
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _lines(subject: Subject) -> Iterator[str]:
    if isinstance(subject, FolderOptions | RunPartOptions):
        mapping = subject.mapping if isinstance(subject, FolderOptions) else {}
        for picture in list_subject(subject).pictures:
            label = mapping.get(picture.label, picture.label)
            if label and picture.path.is_file():
                yield f"{sha256(picture.path)} {label} {picture.box}"
    elif isinstance(subject, PhotographOptions):
        # What is missing is for those to tell who read it.
        for place in filter(Path.exists, (subject.images, subject.annotations)):
            for path in [place] if place.is_file() else files_below(place):
                yield sha256(path)
        yield repr(sorted(subject.mapping.items()))
    else:
        assert isinstance(subject, VideoOptions)
        if subject.video.is_file():
            yield f"{sha256(subject.video)} {subject.label}"
