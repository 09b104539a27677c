"""What the class numbers of YOLO labels mean: the files that tools write for it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maskdet.class_folders.splits import split_of
from maskdet.errors import DatasetError
from maskdet.files.text_files import read_text

# One class a line, the likeliest first; then the files of YAML that have names under a key.
_LISTS = ("classes.txt", "obj.names", "_darknet.labels")
_SETTINGS = ("data.yaml", "dataset.yaml", "data.yml", "dataset.yml")
_YAML = (".yaml", ".yml")

# Folders that are part of a data set's own layout, so that its settings may lie above them.
_LAYOUT = frozenset({"label", "labels", "labels_txt", "annotations", "txt"})


@dataclass(frozen=True)
class ClassNames:
    """What is known of the labels of a folder.

    Attributes:
        names: by class number; empty where nothing says them.
        has_landmarks: whether points are said to follow each box.
    """

    names: dict[int, str] = field(default_factory=dict)
    has_landmarks: bool = False


def find_class_names(folder: Path, label_files: Iterable[Path]) -> ClassNames:
    """Looks for class names beside labels, in the folder they lie in, and above.

    Args:
        folder: that was given for the labels.
        label_files: in it.

    Raises:
        DatasetError: the file that should have them cannot be understood.
        OSError: it cannot be read.
    """
    for place in _places(folder, label_files):
        found = _names_in(place)
        if found is not None:
            return found
    return ClassNames()


def _places(folder: Path, label_files: Iterable[Path]) -> Iterator[Path]:
    yield folder
    # Of an export as a whole: the settings of its parts lie below.
    for place in sorted({above for path in label_files for above in path.parents}):
        if place.is_relative_to(folder) and place != folder:
            yield place
    here = folder.resolve().parent
    yield here
    while here.name.casefold() in _LAYOUT or split_of(here.name):
        here = here.parent
        yield here


def _names_in(place: Path) -> ClassNames | None:
    try:
        files = {path.name.casefold(): path for path in sorted(place.iterdir()) if path.is_file()}
    except PermissionError:  # of a folder above, which need not be the user's
        return None
    known = [files[name] for name in (*_LISTS, *_SETTINGS) if name in files]
    others = [
        path
        for name, path in files.items()
        if name.endswith((".names", *_YAML)) and path not in known
    ]
    for path in (*known, *others):
        if path.suffix.lower() not in _YAML:
            lines = read_text(path).split("\n")
            names = {number: line.strip() for number, line in enumerate(lines) if line.strip()}
            if names:
                return ClassNames(names)
            continue
        try:
            content = _load(path)
            if isinstance(content, dict) and content.get("names"):
                return ClassNames(_numbered(path, content["names"]), "kpt_shape" in content)
        except DatasetError:
            # Any other settings may lie there.
            if path in known:
                raise
    return None


def _load(path: Path) -> Any:
    """Reads a YAML file, every scalar as text: a class may be called ``no``.

    Raises:
        DatasetError: it is none.
    """
    import yaml

    try:
        return yaml.load(read_text(path), Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        line = "" if error.problem_mark is None else f", line {error.problem_mark.line + 1}"
        raise DatasetError(f"{path}: is not YAML ({error.problem}{line})") from None
    except yaml.YAMLError as error:
        raise DatasetError(f"{path}: is not YAML ({' '.join(str(error).split())})") from None
    except RecursionError:
        raise DatasetError(f"{path}: is not YAML (nested too deeply)") from None


def _numbered(path: Path, names: object) -> dict[int, str]:
    """Returns names by number: of a list, or of numbers with names in any order.

    Raises:
        DatasetError: they are neither.
    """
    try:
        pairs = names.items() if isinstance(names, dict) else enumerate(_listed(names))
        numbered = {int(number): str(name.strip()) for number, name in pairs}
    except (AttributeError, TypeError, ValueError):
        raise DatasetError(
            f"{path}: 'names' is neither a list of names nor numbers with their names"
        ) from None
    return {number: name for number, name in numbered.items() if name}


def _listed(names: object) -> list[Any]:
    if not isinstance(names, list):
        raise TypeError
    return names
