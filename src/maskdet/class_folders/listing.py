"""Class folders, the form a data set has on disk: which pictures there are, of which class."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from maskdet.class_folders.faces_file import FACES_FILE, Box, read_faces
from maskdet.class_folders.splits import TEST, VALIDATION, split_of
from maskdet.errors import DatasetError
from maskdet.files.folders import files_below, folders_in, kinds_of
from maskdet.files.text_files import composed
from maskdet.suffixes import is_picture

_MOST_NAMED = 3  # folders in a message


@dataclass(frozen=True)
class Picture:
    """A picture to learn from.

    Attributes:
        path: its file.
        label: its class, the name of its folder.
        dataset: the `--dataset` folder it is in, by position.
        box: left, top, right, bottom of the face in pixels, where `FACES_FILE` says it.
        group: what `FACES_FILE` says it belongs together with, such as its photograph.
        split: given by a ready layout of folders for training, validation and test, else ``None``.
    """

    path: Path
    label: str
    dataset: int
    box: Box | None = None
    group: str | None = None
    split: str | None = None

    def misfit(self, width: int, height: int) -> str:
        """Returns why the box cannot be one in the picture, given its size; empty if it can."""
        if self.box is None:
            return ""
        left, top, right, bottom = self.box
        if right > 0 and bottom > 0 and left < width and top < height:
            return ""
        return f"its box in {FACES_FILE} lies outside the picture ({width} x {height})"


@dataclass(frozen=True)
class ClassFolder:
    """A folder of pictures of one class.

    Attributes:
        path: the folder.
        label: the class, its name with accents composed.
        split: see `Picture.split`.
        files: below it, hidden ones left out.
    """

    path: Path
    label: str
    split: str | None
    files: tuple[Path, ...]

    @property
    def pictures(self) -> list[Path]:
        """Those of its files that are called a picture."""
        return list(filter(is_picture, self.files))


def list_classes(folder: Path) -> list[ClassFolder]:
    """Lists the class folders of a dataset folder.

    Args:
        folder: holds class folders; or nothing but folders called train, validation and test, in
            one of the usual spellings, with class folders in them.

    Raises:
        DatasetError: no such folder, it cannot be read, or what should be a class folder holds
            nothing but folders.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder")
    try:
        inside = folders_in(folder)
        parts: list[tuple[Path, str | None]] = [(folder, None)]
        if inside and all(split_of(path.name) for path in inside):
            parts = [(path, split_of(path.name)) for path in inside]
        classes = []
        for part, split in parts:
            for path in folders_in(part):
                files = tuple(files_below(path))
                _check_class_folder(folder, path, files)
                classes.append(ClassFolder(path, composed(path.name), split, files))
    except OSError as error:
        raise DatasetError(f"{error.filename}: cannot be read ({error.strerror})") from None
    return classes


def list_pictures(folder: Path, number: int = 0, *, empty: bool = False) -> list[Picture]:
    """Lists a dataset folder in the order of its names.

    Args:
        folder: see `list_classes`.
        number: becomes `Picture.dataset`.
        empty: put up with classes without pictures.

    Raises:
        DatasetError: see `list_classes`; also an empty class, or a `FACES_FILE` that cannot be
            understood or is of other pictures.
    """
    classes = list_classes(folder)
    try:
        faces = read_faces(folder)
    except OSError as error:
        raise DatasetError(f"{folder / FACES_FILE}: cannot be read ({error.strerror})") from None
    pictures = []
    known = 0
    for found in classes:
        paths = found.pictures
        if not paths and not empty:
            others = f", but {kinds_of(found.files)}" if found.files else ""
            raise DatasetError(f"{found.path}: an empty class, no pictures in it{others}")
        for path in paths:
            name = composed(path.relative_to(folder).as_posix())
            known += name in faces
            box, group = faces.get(name, (None, None))
            group = None if group is None else f"{number}/{group}"
            pictures.append(Picture(path, found.label, number, box, group, found.split))
    if faces and pictures and not known:
        raise DatasetError(
            f"{folder / FACES_FILE}: names no picture that is there, such as {next(iter(faces))}: "
            "its files are paths below its own folder"
        )
    return pictures


def not_looked_at(folder: Path) -> list[Path]:
    """Lists what `list_pictures` passes over and a person may have meant.

    Returns:
        Files in class folders that are not called a picture, and pictures that lie in none.

    Raises:
        DatasetError: see `list_classes`.
    """
    inside = {path for found in list_classes(folder) for path in found.files}
    try:
        files = files_below(folder)
    except OSError as error:
        raise DatasetError(f"{error.filename}: cannot be read ({error.strerror})") from None
    return [path for path in files if is_picture(path) != (path in inside)]


def held_out(pictures: Sequence[Picture]) -> tuple[list[Picture], str | None]:
    """Returns the pictures to measure on: training pictures of a ready layout would flatter.

    Args:
        pictures: of one dataset folder.

    Returns:
        Those of its test part, of its validation part where there is no other, else all; and the
        name of the part, ``None`` for all.
    """
    for part in (TEST, VALIDATION):
        chosen = [picture for picture in pictures if picture.split == part]
        if chosen:
            return chosen, part
    return list(pictures), None


def _check_class_folder(dataset: Path, folder: Path, files: Sequence[Path]) -> None:
    """Refuses a folder whose pictures all lie in folders of their own, so that it is no class.

    Raises:
        DatasetError: it is one.
    """
    pictures = list(filter(is_picture, files))
    if not pictures or any(path.parent == folder for path in pictures):
        return
    inside = folders_in(folder)
    names = ", ".join(path.name for path in inside[:_MOST_NAMED])
    more = ", …" if len(inside) > _MOST_NAMED else ""
    others = [path.name for path in folders_in(dataset) if not split_of(path.name)]
    if folder.parent == dataset and split_of(folder.name) and others:
        hint = f"move {others[0]!r} away from beside the folders for training and test"
    elif len(folders_in(dataset)) == 1:
        hint = f"name {folder} itself"
    else:
        hint = "put the pictures of a class into its own folder"
    raise DatasetError(
        f"{folder}: holds only folders ({names}{more}), so it is no class folder: {hint}"
    )
