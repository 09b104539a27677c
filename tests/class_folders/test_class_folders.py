"""Class folders on disk: layouts that people have, and what is no class folder."""

import shutil
import unicodedata
from pathlib import Path

import pytest

from command_line import Cli, assert_user_error
from maskdet.class_folders.listing import held_out, list_pictures, not_looked_at
from maskdet.class_folders.splits import split_of
from maskdet.errors import DatasetError
from maskdet.train.data import collect
from train_pictures import write_classes


@pytest.mark.parametrize(
    ("names", "split"),
    [
        (("train", "Train", "TRAINING", "training_set", "train-data", "Train Images"), "train"),
        (("val", "Valid", "validation", "VALIDATION", "validation_set", "val_data"), "val"),
        (("test", "Testing", "test set", "TEST_DATASET"), "test"),
        (("with_mask", "tests", "trainer", "set", "", "vale", "1"), None),
    ],
)
def test_names_of_parts(names: tuple[str, ...], split: str | None) -> None:
    """The usual names are known in any capitals; others are not guessed at."""
    assert {split_of(name) for name in names} == {split}


@pytest.mark.parametrize(
    "names",
    [
        ("Train", "Test", "Validation"),  # as in the case `split_folders`
        ("train", "test", "valid"),
        ("TRAIN", "TEST", "VAL"),
        ("training_set", "test_set", "validation_set"),
    ],
)
def test_folders_for_training_and_test_are_no_classes(
    tmp_path: Path, names: tuple[str, str, str]
) -> None:
    """They are the parts of the data; what a Mac and others leave beside them does not count."""
    for name in names:
        write_classes(tmp_path / name, 2, ("WithMask", "WithoutMask"))
    for name in ("__MACOSX/Train", ".ipynb_checkpoints", "@eaDir"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "._x.jpg").touch()
    pictures = list_pictures(tmp_path)
    found = {(picture.path.parts[-3], picture.split, picture.label) for picture in pictures}
    assert found == {
        (name, split, label)
        for name, split in zip(names, ("train", "test", "val"), strict=True)
        for label in ("WithMask", "WithoutMask")
    }
    assert not_looked_at(tmp_path) == []
    measured, part = held_out(pictures)
    assert (len(measured), part) == (4, "test")
    shutil.rmtree(tmp_path / names[1])
    assert held_out(list_pictures(tmp_path))[1] == "val"


def test_class_folders_that_hold_only_folders(tmp_path: Path) -> None:
    """One folder too high, parts beside other folders, a class of folders: each with a way out."""
    for name in ("Train", "Test"):
        write_classes(tmp_path / "archive" / "Masks" / name, 2)
    (tmp_path / "archive" / "Masks" / "README.txt").touch()
    with pytest.raises(
        DatasetError, match=r"holds only folders \(Test, Train\).*name .*Masks itself"
    ):
        list_pictures(tmp_path / "archive")
    (tmp_path / "archive" / "Masks" / "models").mkdir()
    with pytest.raises(DatasetError, match=r"Test: holds only folders .*move 'models' away"):
        list_pictures(tmp_path / "archive" / "Masks")
    write_classes(tmp_path / "d", 2)
    (tmp_path / "d" / "with_mask" / "own").mkdir()
    assert len(list_pictures(tmp_path / "d")) == 4
    for picture in (tmp_path / "d" / "with_mask").glob("*.png"):
        picture.rename(picture.parent / "own" / picture.name)
    with pytest.raises(DatasetError, match=r"with_mask: holds only folders .*into its own folder"):
        list_pictures(tmp_path / "d")


def test_an_empty_class_says_what_is_in_it(tmp_path: Path) -> None:
    """A class of files that nothing reads says which files they are."""
    write_classes(tmp_path, 2)
    (tmp_path / "hat").mkdir()
    for name in ("a.cr2", "b.CR2", "c.mts"):
        (tmp_path / "hat" / name).touch()
    with pytest.raises(DatasetError, match=r"hat: an empty class.*3 files \(.cr2 2, .mts 1\)"):
        list_pictures(tmp_path)


FACES = (
    "file,group,left,top,right,bottom\n"
    "with_mask/é1.png,g0,10,10.5,50,60\n"
    "with_mask/é2.png,,10,10,50,60\n"
)


@pytest.mark.parametrize(
    "data",
    [
        # As in the case `windows_text`: Excel's "CSV", "CSV UTF-8", and "Unicode text".
        FACES.replace("\n", "\r\n").encode("cp1252"),
        FACES.encode("utf-8-sig"),
        FACES.replace(",", "\t").encode("utf-16"),
        # A German or French Excel: semicolons, decimal commas, perhaps a line that says so.
        FACES.replace(",", ";").replace(".5", ",5").encode("cp1252"),
        ("sep=;\n" + FACES.replace(",", ";").replace(".5", ",5")).encode("utf-8-sig"),
        # As Windows and Macs spell paths and names, and as people head columns.
        FACES.replace("/", "\\").encode(),
        unicodedata.normalize("NFD", FACES).encode(),
        FACES.replace("file,group,left", "File , Group, LEFT").encode(),
        (FACES.replace("\n", ",,\n") + ",,,,,\n\n").encode(),
    ],
    ids=["ansi", "bom", "utf-16", "semicolons", "sep", "windows", "nfd", "capitals", "empty cells"],
)
def test_faces_file_as_programs_save_it(tmp_path: Path, data: bytes) -> None:
    """Whatever saved faces.csv, the boxes and groups in it are found."""
    write_classes(tmp_path, 3)
    for number in (1, 2):
        (tmp_path / f"with_mask/00{number}.png").rename(tmp_path / f"with_mask/é{number}.png")
    (tmp_path / "faces.csv").write_bytes(data)
    found = {picture.path.name: (picture.box, picture.group) for picture in list_pictures(tmp_path)}
    assert found["é1.png"] == ((10, 10.5, 50, 60), "0/g0")
    assert found["é2.png"] == ((10, 10, 50, 60), None)
    assert found["000.png"] == (None, None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("with_mask/000.png,g0,1,2,3,4\n", ":1: expected a line of column names"),
        ("", ":1: expected a line of column names"),
        ("\x00\x01\x02\n\x03", ":1: expected a line of column names"),
        ("file,left,top,right,bottom\nwith_mask/000.png,1,2,3\n", ":2: a box is four numbers"),
        ("file,left,top,right,bottom\nwith_mask/000.png,1,2,nan,4\n", ":2: .*finite"),
        ("file,left,top,right,bottom\nwith_mask/000.png,9,2,3,4\n", ":2: .*reversed"),
        ("file,group\n,g\n", ":2: names no file"),
        ("file,group\nfaces/with_mask/000.png,g\n", "names no picture that is there"),
        ('file,group\n"' + "x" * 200_000, "is not a table"),
    ],
)
def test_a_faces_file_that_says_nothing(tmp_path: Path, text: str, words: str) -> None:
    """A file that would be of no effect, or a wrong one, is refused with its line."""
    write_classes(tmp_path, 2)
    (tmp_path / "faces.csv").write_text(text)
    with pytest.raises(DatasetError, match=f"faces.csv.*{words}"):
        list_pictures(tmp_path)


def test_a_class_in_two_spellings(tmp_path: Path) -> None:
    """A class folder that came through a Mac is the class of the same name."""
    for number, form in enumerate(("NFC", "NFD")):
        write_classes(tmp_path / form, 2, (unicodedata.normalize(form, "masqué"), "nu"), number)
    found = list_pictures(tmp_path / "NFC") + list_pictures(tmp_path / "NFD", 1)
    assert {picture.label for picture in found} == {"masqué", "nu"}


def test_commands_know_the_parts(tmp_path: Path, maskdet: Cli) -> None:
    """The check counts what lies in two parts, the evaluation takes the test part alone."""
    for seed, name in enumerate(("Train", "Test")):
        write_classes(tmp_path / "d" / name, 3, ("WithMask", "WithoutMask"), seed)
    shutil.copy(tmp_path / "d/Train/WithMask/000.png", tmp_path / "d/Test/WithMask/copy.png")
    done = maskdet("dataset", "check", "d", "--output", "report")
    assert done.returncode == 0, done.stderr
    assert "13: WithMask 7, WithoutMask 6" in done.stdout
    assert "train 6, test 7" in done.stdout
    assert "near-duplicates across parts    2 pictures" in done.stdout
    done = maskdet("evaluate", "--dataset", "d", "--output", "figures")
    assert done.returncode == 0, done.stderr
    assert "Of 7 pictures" in done.stdout
    assert "test, of a folder that is divided" in done.stdout
    done = maskdet("evaluate", "--dataset", ".")
    assert_user_error(done, "holds only folders (Test, Train)")


def test_a_box_outside_its_picture(tmp_path: Path, maskdet: Cli) -> None:
    """A line of faces.csv that is not of its picture leaves the picture out, by name."""
    write_classes(tmp_path / "d", 8)
    (tmp_path / "d/faces.csv").write_text(
        "file,left,top,right,bottom\nwith_mask/000.png,64,0,90,60\nwith_mask/001.png,-9,-9,99,99\n"
    )
    collection = collect([tmp_path / "d"], max_bad=0.1)
    assert [file.path.name for file in collection.bad] == ["000.png"]
    words = "000.png: its box in faces.csv lies outside the picture (64 x 64)"
    for command in (("dataset", "check", "d"), ("evaluate", "--dataset", "d")):
        done = maskdet(*command, "--output", "out")
        assert done.returncode == 0, done.stderr
        assert words in done.stderr
