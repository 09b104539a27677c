"""Class folders: what is taken, what is skipped, what is refused."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from maskdet.errors import DatasetError
from maskdet.train.classifier.dataset import prepare
from maskdet.train.classifier.options import TrainOptions
from maskdet.train.data import collect
from train_pictures import flat_png, write_classes


def test_folders_are_labels(tmp_path: Path) -> None:
    """Three classes of any names work; the labels are sorted."""
    write_classes(tmp_path, 3, ("none", "correct", "incorrect"))
    collection = collect([tmp_path], max_bad=0)
    assert collection.labels == ("correct", "incorrect", "none")
    assert collection.label_indices.tolist() == [0] * 3 + [1] * 3 + [2] * 3


def test_two_datasets_are_one(tmp_path: Path) -> None:
    """The classes of several folders are put together, copies across them into one group."""
    first = write_classes(tmp_path / "a", 8)
    shutil.copytree(first, tmp_path / "b")
    dataset = prepare(TrainOptions(dataset=(first, tmp_path / "b"), validation=0.3))
    assert len(dataset.collection.pictures) == 32
    assert dataset.groups[:16].tolist() == dataset.groups[16:].tolist()
    assert dataset.parts[:16] == dataset.parts[16:]
    assert (dataset.duplicated, dataset.leaked, dataset.conflicts) == (32, 0, [])


def test_naive_split_is_told_to_leak(tmp_path: Path) -> None:
    """With a random split the report counts what leaked."""
    first = write_classes(tmp_path / "a", 8)
    shutil.copytree(first, tmp_path / "b")
    options = TrainOptions(dataset=(first, tmp_path / "b"), naive_split=True)
    assert prepare(options).leaked > 0


def test_conflicts_are_written(tmp_path: Path) -> None:
    """The same picture under two classes is named in a file."""
    write_classes(tmp_path / "d", 8)
    shutil.copy(tmp_path / "d/with_mask/003.png", tmp_path / "d/without_mask/copy.png")
    dataset = prepare(TrainOptions(dataset=(tmp_path / "d",)))
    dataset.write(tmp_path)
    text = (tmp_path / "conflicts.csv").read_text()
    assert "with_mask/003.png" in text
    assert "without_mask/copy.png" in text
    assert len((tmp_path / "split.csv").read_text().splitlines()) == 1 + 17


def test_ready_layout_is_kept(tmp_path: Path) -> None:
    """A train/ val/ test/ layout decides the split."""
    for seed, part in enumerate(("train", "val", "test")):
        write_classes(tmp_path / part, 3, seed=seed)
    dataset = prepare(TrainOptions(dataset=(tmp_path,)))
    parts = {
        (picture.path.parts[-3], part)
        for picture, part in zip(dataset.collection.pictures, dataset.parts, strict=True)
    }
    assert parts == {("train", "train"), ("val", "val"), ("test", "test")}


def test_ready_layout_without_validation(tmp_path: Path) -> None:
    """Without a validation folder it is drawn from the training pictures, not from the test."""
    write_classes(tmp_path / "Train", 8)
    write_classes(tmp_path / "Test", 3, seed=1)
    dataset = prepare(TrainOptions(dataset=(tmp_path,), validation=0.3))
    folders = [picture.path.parts[-3] for picture in dataset.collection.pictures]
    parts = set(zip(folders, dataset.parts, strict=True))
    assert parts == {("Train", "train"), ("Train", "val"), ("Test", "test")}
    shutil.rmtree(tmp_path / "Train" / "with_mask")
    with pytest.raises(DatasetError, match="layout has no pictures of 'with_mask' for 'train'"):
        prepare(TrainOptions(dataset=(tmp_path,)))


def test_near_duplicates_across_given_parts_are_counted(tmp_path: Path) -> None:
    """A ready layout is kept even where it leaks, and the leak is counted."""
    write_classes(tmp_path / "train", 4)
    shutil.copytree(tmp_path / "train", tmp_path / "validation")
    assert prepare(TrainOptions(dataset=(tmp_path,))).leaked == 8


def test_what_is_not_looked_at_is_listed(tmp_path: Path) -> None:
    """Files of other kinds, and pictures outside the class folders, are named; hidden ones not."""
    write_classes(tmp_path / "d", 8)
    for name in ("with_mask/IMG_1.dng", "with_mask/._000.png", "with_mask/Thumbs.db", "a.jpg"):
        (tmp_path / "d" / name).write_bytes(b"x")
    (tmp_path / "d" / "README.txt").touch()
    dataset = prepare(TrainOptions(dataset=(tmp_path / "d",)))
    assert dataset.collection.bad == ()
    dataset.write(tmp_path)
    rows = (tmp_path / "skipped.csv").read_text().splitlines()
    assert [row.removeprefix(f"{tmp_path}/d/") for row in rows[1:]] == [
        "a.jpg,lies in no class folder",
        "with_mask/IMG_1.dng,is not called a picture",
    ]


def test_a_picture_beyond_the_decoder(tmp_path: Path) -> None:
    """A picture of more pixels than OpenCV takes is skipped and named, in every place."""
    write_classes(tmp_path / "d", 8)
    huge = tmp_path / "d" / "with_mask" / "huge.png"
    huge.write_bytes(flat_png(65536, 16385))  # above 2^30 pixels
    (tmp_path / "held").mkdir()
    shutil.copy(huge, tmp_path / "held")
    options = TrainOptions(
        dataset=(tmp_path / "d",), exclude_like=(tmp_path / "held",), max_bad=0.2
    )
    dataset = prepare(options)
    assert [file.path for file in dataset.collection.bad] == [huge]
    assert [file.path for file in dataset.unread] == [tmp_path / "held" / "huge.png"]


def test_faces_file(tmp_path: Path) -> None:
    """Boxes and groups come from faces.csv."""
    write_classes(tmp_path, 2)
    (tmp_path / "faces.csv").write_text(
        "file,group,left,top,right,bottom\n"
        "with_mask/000.png,photo,1,2,30.5,40\n"
        "with_mask/001.png,photo,,,,\n"
    )
    first, second, third, _ = collect([tmp_path], max_bad=0).pictures
    assert (first.box, first.group) == ((1, 2, 30.5, 40), "0/photo")
    assert (second.box, second.group) == (None, "0/photo")
    assert (third.box, third.group) == (None, None)


def test_faces_file_with_a_word_for_a_number(tmp_path: Path) -> None:
    """A bad line is named."""
    write_classes(tmp_path, 2)
    (tmp_path / "faces.csv").write_text("file,group,left,top,right,bottom\na.png,,1,2,x,4\n")
    with pytest.raises(DatasetError, match=r"faces.csv:2"):
        collect([tmp_path], max_bad=0)


def test_excluded_pictures(tmp_path: Path) -> None:
    """Pictures like the held-out ones are left out, and counted."""
    write_classes(tmp_path / "d", 8)
    (tmp_path / "held").mkdir()
    shutil.copy(tmp_path / "d/with_mask/003.png", tmp_path / "held/x.png")
    dataset = prepare(TrainOptions(dataset=(tmp_path / "d",), exclude_like=(tmp_path / "held",)))
    assert dataset.excluded == 1
    assert tmp_path / "d/with_mask/003.png" not in {
        picture.path for picture in dataset.collection.pictures
    }


def test_weights_balance_each_folder(tmp_path: Path) -> None:
    """Within a folder the classes weigh alike, whatever their counts."""
    write_classes(tmp_path / "a", 12, ("with_mask",))
    write_classes(tmp_path / "a2", 6, ("without_mask",), seed=1)
    shutil.copytree(tmp_path / "a2", tmp_path / "a", dirs_exist_ok=True)
    feed = prepare(TrainOptions(dataset=(tmp_path / "a",))).feeds["train"]
    sums = [feed.weights[feed.labels == label].sum() for label in (0, 1)]
    assert sums[0] == pytest.approx(sums[1], rel=1e-5)
    plain = prepare(TrainOptions(dataset=(tmp_path / "a",), class_weights="none"))
    assert np.all(plain.feeds["train"].weights == 1)


def write_ready(folder: Path, counts: dict[str, int], seed: int) -> None:
    """Writes a ready layout: so many training pictures of each class, and one to validate on."""
    for number, (label, count) in enumerate(counts.items()):
        write_classes(folder / "train", count, (label,), seed=seed + number)
        write_classes(folder / "val", 1, (label,), seed=seed + 50 + number)


def weight_sums(*folders: Path, class_weights: str = "balanced") -> dict[str, float]:
    """Returns what the training pictures of each class weigh together."""
    dataset = prepare(TrainOptions(dataset=folders, class_weights=class_weights))
    feed = dataset.feeds["train"]
    return {
        label: float(feed.weights[feed.labels == number].sum())
        for number, label in enumerate(dataset.labels)
    }


def test_weights_balance_a_class_in_a_folder_of_its_own(tmp_path: Path) -> None:
    """Where a class comes in a second folder, all three weigh as if they had come in one."""
    write_ready(tmp_path / "both", {"with_mask": 14, "without_mask": 7}, seed=1)
    write_ready(tmp_path / "third", {"mask_worn_incorrectly": 3}, seed=100)
    sums = weight_sums(tmp_path / "both", tmp_path / "third")
    assert sums == pytest.approx(dict.fromkeys(sums, 8.0), rel=1e-5)
    assert len(sums) == 3


def test_weights_halfway(tmp_path: Path) -> None:
    """A class weighs the geometric mean of what it does when balanced and when only counted."""
    write_ready(tmp_path / "both", {"with_mask": 16, "without_mask": 4}, seed=1)
    write_ready(tmp_path / "third", {"mask_worn_incorrectly": 1}, seed=100)
    sums = weight_sums(tmp_path / "both", tmp_path / "third", class_weights="halfway")
    expected = {"with_mask": 12.0, "without_mask": 6.0, "mask_worn_incorrectly": 3.0}
    assert sums == pytest.approx(expected, rel=1e-5)


def test_weights_of_a_few_pictures_in_a_large_folder(tmp_path: Path) -> None:
    """A rare class of a folder is not shouted: one picture of 20 counts 4 times, not 10."""
    write_ready(tmp_path / "a", {"with_mask": 19, "without_mask": 1}, seed=1)
    write_ready(tmp_path / "b", {"with_mask": 6, "without_mask": 6}, seed=100)
    dataset = prepare(TrainOptions(dataset=(tmp_path / "a", tmp_path / "b")))
    feed = dataset.feeds["train"]
    bare = [
        float(weight)
        for picture, weight in zip(feed.pictures, feed.weights, strict=True)
        if picture.label == "without_mask"
    ]
    # Of 32 pictures each class is to weigh 16; before that its one counts 4, its six 1 each.
    assert bare == pytest.approx([6.4, *[1.6] * 6], rel=1e-5)


def test_known_labels_come_first(tmp_path: Path) -> None:
    """The third label does not push the two that everybody knows out of their places."""
    write_classes(tmp_path, 4, ("mask_worn_incorrectly", "with_mask", "beard", "without_mask"))
    labels = collect([tmp_path], max_bad=0).labels
    assert labels == ("with_mask", "without_mask", "mask_worn_incorrectly", "beard")


def test_bad_files_are_listed_up_to_a_limit(tmp_path: Path) -> None:
    """A text file named .jpg and an empty file are skipped, unless there are many."""
    write_classes(tmp_path / "d", 9)
    (tmp_path / "d/with_mask/text.jpg").write_text("not a picture")
    (tmp_path / "d/with_mask/empty.jpg").touch()
    collection = collect([tmp_path / "d"], max_bad=0.2)
    assert [file.path.name for file in collection.bad] == ["empty.jpg", "text.jpg"]
    with pytest.raises(DatasetError, match=r"2 of 20 files .*--max-bad"):
        collect([tmp_path / "d"], max_bad=0.05)


def test_one_class_only(tmp_path: Path) -> None:
    """One class teaches nothing."""
    write_classes(tmp_path, 3, ("with_mask",))
    with pytest.raises(DatasetError, match="found only 'with_mask'"):
        collect([tmp_path], max_bad=0)


def test_no_class_folders(tmp_path: Path) -> None:
    """A folder without class folders is not a dataset."""
    with pytest.raises(DatasetError, match="found none"):
        collect([tmp_path], max_bad=0)


def test_empty_class(tmp_path: Path) -> None:
    """A class folder without pictures is named."""
    write_classes(tmp_path, 3)
    (tmp_path / "hat").mkdir()
    with pytest.raises(DatasetError, match=r"hat: an empty class"):
        collect([tmp_path], max_bad=0)


def test_too_few_pictures(tmp_path: Path) -> None:
    """A class of one picture cannot be split."""
    write_classes(tmp_path, 1)
    with pytest.raises(DatasetError, match="has 1 usable pictures"):
        collect([tmp_path], max_bad=0)


def test_labels_that_clash(tmp_path: Path) -> None:
    """Folder names that differ in spelling only are a mistake."""
    write_classes(tmp_path, 2, ("with_mask", "With Mask"))
    with pytest.raises(DatasetError, match="differ in spelling only"):
        collect([tmp_path], max_bad=0)


def test_missing_folder(tmp_path: Path) -> None:
    """A folder that is not there is named."""
    with pytest.raises(DatasetError, match="no such folder"):
        collect([tmp_path / "gone"], max_bad=0)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every folder")
def test_unreadable_folder(tmp_path: Path) -> None:
    """A folder without read permission is named."""
    write_classes(tmp_path / "d", 2)
    (tmp_path / "d").chmod(0)
    try:
        with pytest.raises(DatasetError, match="cannot be read"):
            collect([tmp_path / "d"], max_bad=0)
    finally:
        (tmp_path / "d").chmod(0o700)


def test_folder_that_fails_to_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that the system will not list is one line, for root too."""
    write_classes(tmp_path, 2)

    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(DatasetError, match="cannot be read"):
        collect([tmp_path], max_bad=0)
