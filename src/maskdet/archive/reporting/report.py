"""`maskdet archive --report`: a study's figures as one page and as CSV tables."""

import csv
from collections.abc import Callable

from maskdet.archive.places import Store
from maskdet.archive.reporting.contact import face_pictures
from maskdet.archive.reporting.figures import asked
from maskdet.archive.reporting.page import page
from maskdet.archive.study import read_study
from maskdet.archive.tables import PIECES
from maskdet.errors import OutputError
from maskdet.extras import require
from maskdet.media.files import printable

FOLDER = "report"
# Faces on each of the two sheets.
_FACES = 24
# Recordings say when they were begun in UTC, or in the camera's own time, which they call so.
_TIMES = "Of files that tell when they were begun, in UTC as they say it."


def write_report(root: str, *, log: Callable[[str], None], show_faces: bool = False) -> list[str]:
    """Writes the report of a study, or of what is done of it so far.

    Args:
        root: folder of the study, or its address.
        log: told what the user should know.
        show_faces: whether faces on the contact sheet may be recognised.

    Returns:
        What was written.

    Raises:
        OutputError: there is no study, nothing is done of it, or the report cannot be written.
    """
    require("archive", "maskdet archive --report")
    store = Store(root)
    study = read_study(store)
    if not store.names(PIECES):
        raise OutputError(f"{store.name}: nothing is done yet; --resume {store.name} goes on")
    with asked(store, study.labels) as figures:
        totals = figures.totals()
        # Of a path with either slash, or an address.
        folder = r"regexp_replace(source, '[/\\][^/\\]*$', '')"
        tables = [
            figures.by("file", "By file", "source"),
            figures.by("folder", "By folder", folder),
            figures.by("hour", "By hour of day", "hour(wall)", _TIMES),
            figures.by("day", "By day", "strftime(wall, '%Y-%m-%d')", _TIMES),
            figures.quality(),
        ]
        certain = figures.spots(_FACES, surest=True)
        doubtful = figures.spots(_FACES, surest=False)
    log(f"{store.name}: reads the faces of the contact sheet")
    blurred = "" if show_faces else ", blurred"
    rotate = study.work.stream.rotate
    sheets = [
        (
            title,
            list(
                zip(
                    spots,
                    face_pictures(spots, show_faces=show_faces, rotate=rotate),
                    strict=True,
                )
            ),
        )
        for title, spots in (
            (f"The least certain faces{blurred}", doubtful),
            (f"The most certain faces{blurred}", certain),
        )
    ]
    written = [f"{FOLDER}/index.html"]
    text = page(store.name.rstrip("/").rsplit("/", 1)[-1], totals, tables, sheets)
    store.write(written[0], printable(text).encode())
    for table in tables:
        name = f"{FOLDER}/{table.name}.csv"
        with (
            store.writing(name) as path,
            path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file,
        ):
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(table.columns)
            rows.writerows(table.rows)
        written.append(name)
    return [f"{store.name}/{name}" for name in written]
