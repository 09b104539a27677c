"""A cleaned copy of class folders: what `maskdet dataset check --fix` writes."""

import shutil
from collections import Counter
from pathlib import Path

from maskdet.class_folders.faces_file import FaceRow, write_faces
from maskdet.class_folders.splits import TRAIN
from maskdet.dataset.findings import Finding
from maskdet.dataset.folders import FreeNames, new_folder
from maskdet.errors import DatasetError
from maskdet.media.inputs.decoding import read_picture
from maskdet.media.picture_files import write_picture
from maskdet.vision.preprocessing import resize

# What a huge picture is scaled down to, longer side in pixels: ample for a face.
REDUCED = 2048


def write_cleaned(finding: Finding, target: Path) -> dict[str, int]:
    """Copies what is usable; the original stays as it is.

    Left out: unreadable files, pictures in several classes at once, tiny ones, and of near-
    duplicates within a class all but the largest. Changed: huge pictures are scaled down, those
    with alpha or 16 bits become plain ones. Near-duplicates across classes, such as a face with
    and without a mask, stay, tied together in ``faces.csv``.

    Args:
        finding: about the folder.
        target: folder to write, not inside the folder itself.

    Returns:
        What was done, by kind.

    Raises:
        DatasetError: a class would be left empty.
        OutputError: it cannot be written; nothing of it is left then.
    """
    copies = _superfluous(finding)
    tiny, huge = set(finding.tiny), set(finding.huge)
    done: Counter[str] = Counter({"unreadable, left out": len(finding.unreadable)})
    sizes = Counter(finding.groups.tolist())
    rows: list[FaceRow] = []
    free = FreeNames()
    kept: set[str] = set()
    with new_folder(target) as folder:
        for index, item in enumerate(finding.looked):
            reasons = (
                ("in several classes, left out", finding.contradictory),
                ("tiny, left out", tiny),
                ("near-duplicates, left out", copies),
            )
            reason = next((name for name, chosen in reasons if index in chosen), None)
            if reason is not None:
                done[reason] += 1
                continue
            file = Path(finding.name(index))
            box = item.picture.box
            plain = item.mode in ("colour", "grey", "grey as colour")
            if not plain and file.suffix.lower() != ".png":
                file = file.with_name(f"{file.name}.png")
            file = Path(free.take(file.as_posix()))
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            if index in huge or not plain:
                image = read_picture(item.picture.path)
                scale = min(1.0, REDUCED / max(item.width, item.height))
                if scale < 1:
                    image = resize(image, round(item.width * scale), round(item.height * scale))
                    if box is not None:
                        left, top, right, bottom = (side * scale for side in box)
                        box = (left, top, right, bottom)
                write_picture(folder / file, image)
                done["scaled down or made plain"] += 1
            else:
                shutil.copyfile(item.picture.path, folder / file)
                done["copied"] += 1
            kept.add(item.picture.label)
            group = int(finding.groups[index])
            named = f"like-{group}" if sizes[group] > 1 else ""
            if named or box is not None:
                rows.append(FaceRow(file.as_posix(), named, box, finding.name(index)))
        empty = sorted(set(finding.counts) - kept)
        if empty:
            raise DatasetError(f"{target}: class {empty[0]!r} would be empty: nothing was written")
        write_faces(folder, rows)
    return dict(done)


def _superfluous(finding: Finding) -> set[int]:
    """Returns the pictures that a larger near-duplicate of their class makes superfluous."""

    def rank(index: int) -> tuple[int, bool, int]:
        item = finding.looked[index]
        # Of equals in two parts of a ready layout the one to learn from stays.
        return item.width * item.height, item.picture.split == TRAIN, -index

    dropped: set[int] = set()
    for pair in sorted(
        finding.within, key=lambda pair: max(rank(index) for index in pair), reverse=True
    ):
        if dropped.isdisjoint(pair):
            dropped.add(min(pair, key=rank))
    return dropped
