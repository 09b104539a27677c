"""All inputs that once failed, and others of each kind, replayed through the command line.

The inputs are in ``shared/cases`` beside the checkout, where there is one, and in `case_inputs`.
"""

import csv
import json
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from case_inputs import BARE, BOX, MASKED, make_inputs
from command_line import ROOT, Cli

CASES = ROOT.parent / "shared" / "cases"
NEAR = 2  # pixels by which a box may be off: annotations are rounded, JPEG is not exact


@dataclass(frozen=True)
class Done:
    """A command that has ended, and the folder of what it wrote."""

    code: int
    out: str
    err: str
    folder: Path


Check = Callable[[Done], None]


@dataclass(frozen=True)
class Case:
    """A command and what must come of it.

    Attributes:
        kind: the entry of the cases, of which it is one or a variant.
        words: of the command. ``{}`` stands for the input; they run in a folder of their own.
        check: what must come of it.
        own: whether the input is made by the tests.
        inside: what of the kind's folder is the input.
    """

    kind: str
    words: str
    check: Check
    own: bool = False
    inside: str = ""

    @property
    def name(self) -> str:
        """What pytest calls it."""
        words = self.words.replace("{}", "").split()
        return f"{'own-' * self.own}{self.kind}-{self.inside}-{'-'.join(words[:2])}"


def refused(*words: str, code: int = 1) -> Check:
    """One line on standard error, with these words in it, and no traceback."""

    def check(done: Done) -> None:
        assert done.code == code, done.err
        lines = [line for line in done.err.splitlines() if line.strip()]
        if code == 2:
            lines = lines[-1:]  # after the usage
        assert len(lines) == 1, done.err
        for word in words:
            assert word in lines[0]

    return check


def says(*words: str, code: int = 0) -> Check:
    """It succeeds, or ends as told, and says these words."""

    def check(done: Done) -> None:
        assert done.code == code, done.err
        assert "Traceback" not in done.err
        for word in words:
            assert word in " ".join((done.out + done.err).split())

    return check


def looked_at(*sources: str) -> Check:
    """Sources as ``kind frames faces``: so many frames, a face in so many of them.

    Faces of pictures may have their labels behind that, bare ones first.
    """

    def check(done: Done) -> None:
        assert (done.code, done.err) == (0, "")
        summary = json.loads(done.out)
        found = []
        for source, wanted in zip(summary["sources"], sources, strict=True):
            words = [source["kind"], source["frames"], source["frames_with_faces"]]
            if len(wanted.split()) > 3:
                words += [source["faces"]["without_mask"], source["faces"]["with_mask"]]
            found.append(" ".join(map(str, words)))
        assert found == list(sources)

    return check


def cut(bare: int, masked: int, *err: str, box: tuple[int, ...] = BOX) -> Check:
    """So many crops of each class, each of the face; each line of what is amiss has its word."""

    def check(done: Done) -> None:
        assert done.code == 0, done.err
        assert len(done.err.splitlines()) == len(err), done.err
        for line, words in zip(done.err.splitlines(), err, strict=True):
            assert words in line
        with (done.folder / "faces.csv").open(newline="") as stream:
            rows = list(csv.DictReader(stream))
        found = Counter(Path(row["file"]).parent.name for row in rows)
        assert found == +Counter(without_mask=bare, with_mask=masked)
        assert {str(path.relative_to(done.folder)) for path in done.folder.rglob("*.jpg")} == {
            row["file"] for row in rows
        }
        for row in rows:
            edges = [float(row[f"source_{side}"]) for side in ("left", "top", "right", "bottom")]
            assert edges == pytest.approx(box, abs=NEAR)

    return check


def boxed(done: Done) -> None:
    """The cleaned copy's table has the boxes and, by them, the groups of the first one's."""
    assert done.code == 0, done.err
    with (done.folder / "faces.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["left"] for row in rows if row["left"]}
    assert all(float(row["right"]) > float(row["left"]) for row in rows if row["left"])
    assert any("é" in row["file"] for row in rows)


LOOK = "detect {} --no-output --quiet --summary -"
IMPORT = "dataset import {}/IMAGES --annotations {}/LABELS --output out"
YOLO = IMPORT.replace("IMAGES", "train/images").replace("LABELS", "train/labels")
FACE = f"detect {BARE} --face {{}} --no-output"


def voc(images: str, labels: str = "voc") -> str:
    """Returns the words that import such folders."""
    return IMPORT.replace("IMAGES", images).replace("LABELS", labels)


def several(kind: str, insides: str, words: str, check: Check, *, own: bool = False) -> list[Case]:
    """Returns a case for each of several inputs, of which the same must come."""
    return [Case(kind, words, check, own, inside) for inside in insides.split()]


TABLE = [
    # A network that is damaged, and yet is what its card says.
    Case("corrupt_network", FACE, refused("ssd_faces_float16.tflite", "is damaged")),
    Case("corrupt_network", FACE + " --precision int8", says("face", code=0)),
    *several(
        "corrupt_network", "no_output half nothing not_numbers other_kind", FACE,
        refused("faces.tflite"), own=True,
    ),
    *several(
        "corrupt_network", "half_mask/mask.json other_mask/mask.json text.tflite",
        f"heatmap {BARE} --model {{}} --output out", refused(".tflite"), own=True,
    ),
    # Folders for training, validation and test.
    Case("split_folders", "dataset check {} --output out", refused("holds only folders")),
    Case(
        "split_folders", "dataset check {} --output out",
        says("24: WithMask 12, WithoutMask 12", "train 8, val 8, test 8"),
        inside="Face Mask Dataset",
    ),
    Case(
        "split_folders", "evaluate --dataset {} --output out", says("Of 8 pictures", "test"),
        inside="Face Mask Dataset",
    ),
    *several(
        "split_folders", "lower upper", "dataset check {} --output out",
        says("12: WithMask 6, WithoutMask 6", "train 4, val 4, test 4"), own=True,
    ),
    Case(
        "split_folders", "evaluate --dataset {} --output out", says("Of 4 pictures"), True, "sets"
    ),
    *several(
        "split_folders", "high deep", "evaluate --dataset {} --output out",
        refused("holds only folders"), own=True,
    ),
    # Names of classes in YAML, rows of boxes.
    *several("yolo_class_names", "comment inline item sparse unordered", YOLO, cut(1, 1)),
    *several("yolo_class_names", "quoted anchor windows json far", YOLO, cut(1, 1), own=True),
    Case("yolo_class_names", YOLO, refused("data.yaml", "is not YAML"), True, "broken"),
    *several("yolo_rows", "floats landmarks polygon robo", YOLO, cut(1, 1)),
    *several("yolo_rows", "house closed points tabs exponents", YOLO, cut(1, 1), own=True),
    Case("yolo_rows", YOLO, cut(1, 0, "b.txt"), True, "words"),
    Case("yolo_rows", YOLO, cut(1, 0), True, "nothing"),
    # Boxes of the picture as it is stored, or as it is shown; files that were renamed.
    Case("exif_voc", voc("images"), cut(1, 0, "phone.xml", box=(82, 71, 171, 174))),
    *several("exif_voc", "raw_6 raw_8", voc("images"), cut(1, 0, "p.xml"), own=True),
    *several(
        "exif_voc", "upright_3 upright_6 upright_8", voc("images"), cut(1, 0), own=True
    ),
    Case("exif_voc", voc("images", "other"), refused("p.xml"), True, "raw_6"),
    Case("stale_voc_names", voc("img"), cut(1, 0)),
    Case("stale_voc_names", voc("img"), cut(1, 0), True),
    Case("stale_voc_names", voc("img", "others"), refused("xml"), True),
    # What lies in folders of phones and cameras.
    Case("skipped_suffixes", LOOK, looked_at("pictures 4 4 3 1", "video 48 48", "video 48 48")),
    Case(
        "skipped_suffixes", LOOK,
        looked_at("pictures 12 12 12 0", "video 6 6", "video 6 6"), True,
    ),
    Case("skipped_suffixes", "detect {} --no-output", says("notes.docx", "raw.cr2"), True),
    Case("raw.mjpeg", LOOK, looked_at("video 48 48")),
    Case("raw.mjpeg", LOOK, looked_at("video 6 6"), True, "a.mjpg"),
    Case("raw.mjpeg", LOOK, looked_at("video 7 7"), True, "a.h264"),
    Case("raw.mjpeg", LOOK, looked_at("video 5 5"), True, "a.265"),
    Case("jpeg_tails", LOOK, looked_at("pictures 2 2")),
    Case("jpeg_tails", LOOK, looked_at("pictures 6 6 6 0"), True),
    Case("jpeg_tails", LOOK, refused("half.jpg"), True, "cut/half.jpg"),
    # Text as Windows programs save it.
    *several("windows_text", "list_bom.txt list_utf16.txt", LOOK, looked_at("pictures 2 2 1 1")),
    Case("windows_text", "train --config {} --help", says("frozen. [default: 1;"), inside="c.toml"),
    *several(
        "windows_text", "faces_ansi faces_bom faces_semicolons faces_utf16",
        "dataset check {} --output report --fix out", boxed,
    ),
    *several(
        "windows_text", "utf-8-sig.txt utf-16-le.txt utf-16-be.txt cp1252.txt utf-16.txt", LOOK,
        looked_at("pictures 2 2 1 1"), own=True,
    ),
    *several(
        "windows_text", "utf-8-sig.toml utf-16.toml utf-16-be.toml cp1252.toml",
        "train --config {} --dataset .", refused("leave nothing to do", code=2), own=True,
    ),
    *several(
        "windows_text", "tabs semicolons backslashes",
        "dataset check {} --output report --fix out", boxed, own=True,
    ),
    # More pixels than memory should be given for.
    Case("huge.png", LOOK, refused("40000x30000 pixels")),
    *several("huge.png", "a.png a.ppm a.bmp a.jpg", LOOK, refused("pixels"), own=True),
    Case("huge.png", "dataset check {} --output out", says("a.png", "pixels"), True, "classes"),
    Case("huge.png", "heatmap {} --output out", refused("pixels"), True, "a.jpg"),
]  # fmt: skip


def _input(case: Case, made: Path, folder: Path) -> Path | None:
    """Returns where a case's input lies; ``None`` where it is one of those that are not there."""
    path = (made if case.own else CASES) / case.kind / case.inside
    if case.inside.startswith("faces_"):
        # A table alone: its pictures belong beside it.
        path = folder / "classes"
        for name, picture in (("with_mask/é1", MASKED), ("without_mask/é2", BARE)):
            (path / name).parent.mkdir(parents=True)
            shutil.copy(picture, path / f"{name}.jpg")
        table = CASES / case.kind / f"{case.inside}.csv"
        if table.exists():
            shutil.copy(table, path / "faces.csv")
        return path if table.exists() else None
    return path if path.exists() else None


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The inputs that the tests make themselves."""
    folder = tmp_path_factory.mktemp("made")
    make_inputs(folder)
    return folder


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.name)
def test_case(case: Case, made: Path, maskdet: Cli, tmp_path: Path) -> None:
    """What must come of an input comes of it."""
    path = _input(case, made, tmp_path)
    if path is None:
        assert not case.own
        pytest.skip("needs the cases, which are not part of the repository")
    done = maskdet(*(word.replace("{}", str(path)) for word in case.words.split()))
    case.check(Done(done.returncode, done.stdout, done.stderr, tmp_path / "out"))


def test_every_case_is_replayed() -> None:
    """Whatever lies in the cases is in the table, and has a variant."""
    kinds = {case.kind for case in TABLE}
    assert kinds == {case.kind for case in TABLE if case.own}
    if not CASES.is_dir():
        pytest.skip("needs the cases, which are not part of the repository")
    assert {path.name for path in CASES.iterdir()} - {"README.md"} <= kinds
