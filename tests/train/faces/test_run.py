"""Training the face detector: that it learns, starts and stops as told, and what it refuses."""

import json
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from boxed_pictures import made_up_picture, write_boxed
from command_line import Cli, assert_user_error
from maskdet.annotations import BoxedPhotograph
from maskdet.assets import bundled
from maskdet.boxes import intersection_over_union
from maskdet.errors import DatasetError, ModelError, OutputError
from maskdet.train.camera import Camera
from maskdet.train.faces import weights
from maskdet.train.faces.augmentation import Boxed, FaceAugmentation, draw_view
from maskdet.train.faces.feed import FaceFeed, batches, prior_targets, steps
from maskdet.train.faces.network import TrainedSsd
from maskdet.train.faces.networks.registry import FINE, LIGHT, RES10, SsdNetwork, network_of
from maskdet.train.faces.options import FaceTrainOptions
from maskdet.train.faces.pictures import LEFT_OUT, prepare
from maskdet.train.faces.run import train
from maskdet.train.faces.trainer import FaceTrainer
from maskdet.train.journal import Journal
from maskdet.vision.faces.loading import load_face_detector
from small_runs import stepwise

SIZE = 96


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen boxed pictures, two of them without a face."""
    return write_boxed(tmp_path_factory.mktemp("boxed"), 16, empty=2)


def options(folder: Path) -> FaceTrainOptions:
    """A small run on a folder."""
    return FaceTrainOptions(
        images=(folder / "images",),
        annotations=(folder / "labels",),
        sizes=(SIZE,),
        validation=0.25,
    )


@pytest.mark.parametrize("network", [RES10, LIGHT])
def test_gradient_steps_on_one_picture_overfit_it(network: SsdNetwork) -> None:
    """From either network's bundled weights: the loss falls to a fraction, the face is found."""
    folder = bundled("face_detector/original" if network is RES10 else "face_detector")
    picture, face = made_up_picture(np.random.default_rng(3))
    scale = np.array([SIZE / picture.shape[1], SIZE / picture.shape[0]] * 2, np.float32)
    start = weights.load_from(folder)
    assert network_of(start) is network
    start = weights.with_fine_heads(start)
    trained = TrainedSsd(start, rate=1e-3, weight_decay=0.0, averaging=0.8, mixed_precision=False)
    kinds, targets = prior_targets(face * scale, trained.priors(SIZE), trained.spec.variances)
    view = cv2.resize(picture, (SIZE, SIZE))
    batch = view[np.newaxis], kinds[np.newaxis], targets[np.newaxis]
    losses = [sum(trained.step(*batch)) for _ in range(25)]
    assert losses[-1] < 0.15 * losses[0]
    xyxy, scores = trained.detect(picture, SIZE)
    assert scores[0] > 0.8
    assert intersection_over_union(xyxy[:1], face)[0, 0] > 0.7


def test_boxes_follow_their_faces_into_the_view() -> None:
    """Under each box of a turned, cropped, mirrored view lies the bright disc it was drawn for."""
    random = np.random.default_rng(5)
    # Without mosaics: a face cut at a tile's edge has an eye in its middle now and then.
    how = replace(FaceAugmentation(), turn=1.0, blur=0.0, blank=0.0, mosaic=0.0, camera=Camera())
    checked = 0
    for _ in range(40):
        picture, face = made_up_picture(random)
        boxed = Boxed(picture, face, face[:0])
        view, boxes, _ = draw_view(lambda boxed=boxed: boxed, 128, how, random)
        assert view.shape == (128, 128, 3)
        assert np.all((boxes >= 0) & (boxes <= 128))
        for left, top, right, bottom in boxes.astype(int):
            cut = min(left, top) == 0 or max(right, bottom) >= 127
            if cut or min(right - left, bottom - top) < 12:
                continue
            middle = view[(top + bottom) // 2, (left + right) // 2].astype(int)
            assert np.abs(middle - [150, 190, 255]).max() < 60
            checked += 1
    assert checked > 8


def test_a_face_mostly_out_of_view_is_neither_taught_nor_unlearned() -> None:
    """Close by, around no face: where its edge still shows, its box is one to be ignored."""
    random = np.random.default_rng(6)
    how = replace(FaceAugmentation(), whole=0, elsewhere=1, blank=0, mosaic=0, camera=Camera())
    taught = cut = out = 0
    for _ in range(120):
        picture, face = made_up_picture(random)
        boxed = Boxed(picture, face, face[:0])
        _, faces, ignored = draw_view(lambda boxed=boxed: boxed, 64, how, random)
        for box in (*faces, *ignored):
            assert np.all((box >= 0) & (box <= 64))
            assert np.all(box[2:] > box[:2])
        assert len(faces) + len(ignored) <= 1
        taught, cut = taught + len(faces), cut + len(ignored)
        out += len(faces) + len(ignored) == 0
    assert min(taught, cut, out) > 10


def test_blank_views_show_something_and_have_no_boxes() -> None:
    """Writing, noise, shapes: never one even colour, never a face to learn."""
    random = np.random.default_rng(2)
    picture, face = made_up_picture(random)
    how = replace(FaceAugmentation(), blank=1.0, camera=Camera())
    for _ in range(12):
        view, boxes, _ = draw_view(lambda: Boxed(picture, face, face), 64, how, random)
        assert view.shape == (64, 64, 3)
        assert view.std() > 1
        assert boxes.shape == (0, 4)


def test_a_pass_depends_on_its_number_alone(folder: Path) -> None:
    """The same batches again for the same pass, other ones for the next: a run can be resumed."""
    feed = prepare(options(folder)).train
    priors = {SIZE: np.array([[48, 48, 40, 40]], np.float32)}

    def drawn(epoch: int) -> list[np.ndarray]:
        data = batches(
            feed, priors, (0.1, 0.1, 0.2, 0.2), batch_size=4, epoch=epoch, how=FaceAugmentation()
        )
        return [views.numpy() for views, _, _ in data]

    first, again, other = drawn(0), drawn(0), drawn(1)
    assert len(first) == steps(feed, (SIZE,), 4, 0) == len(feed) // 4
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_batches_of_several_sizes(folder: Path) -> None:
    """Each batch has one of the sides, of the larger one fewer pictures; `steps` counts them."""
    feed = prepare(options(folder)).train
    sizes = (SIZE, 2 * SIZE)
    priors = {size: np.array([[48, 48, 40, 40]], np.float32) for size in sizes}
    shapes = []
    for epoch in range(3):
        data = batches(
            feed, priors, (0.1, 0.1, 0.2, 0.2), batch_size=4, epoch=epoch, how=FaceAugmentation()
        )
        drawn = [tuple(views.shape) for views, _, _ in data]
        assert len(drawn) == steps(feed, sizes, 4, epoch)
        shapes += drawn
    assert set(shapes) == {(4, SIZE, SIZE, 3), (1, 2 * SIZE, 2 * SIZE, 3)}


def test_a_run_that_gains_nothing_stops_early(folder: Path, tmp_path: Path) -> None:
    """At a rate of next to nothing, the second pass is no better: of five, two are run."""
    given = replace(options(folder), passes=5, patience=1, measured_sizes=(SIZE,))
    pictures = prepare(given)
    start = weights.with_fine_heads(weights.load_from(bundled("face_detector/original")))
    trained = TrainedSsd(start, rate=1e-20, weight_decay=0, averaging=0.9, mixed_precision=False)
    lines: list[str] = []
    journal = Journal(tmp_path, "", say=lines.append, show=lambda _, __: None)
    FaceTrainer(given, trained, pictures.train, pictures.validation, journal).run()
    assert len(journal.progress.history) == 2
    assert lines[-1] == "no better for 1 passes, stopped early"


def test_a_large_set_is_gone_through_in_turn() -> None:
    """Of ten pictures at three a pass, each is seen three times in ten passes."""
    photographs = [
        BoxedPhotograph(Path(str(number)), np.zeros((0, 4), np.float32), ()) for number in range(10)
    ]
    feed = FaceFeed(photographs, np.zeros(10, np.intp), 3, seed=1)
    seen = np.bincount(np.concatenate([feed.order(epoch) for epoch in range(10)]), minlength=10)
    assert seen.tolist() == [3] * 10


def test_nothing_is_on_both_sides(folder: Path, tmp_path: Path) -> None:
    """Copies of validation pictures in another set, and of ones to exclude, are left out."""
    copies, excluded = tmp_path / "copies", tmp_path / "excluded"
    shutil.copytree(folder, copies)
    excluded.mkdir()
    plain = prepare(options(folder))
    train = [path.path for path in plain.train.photographs]
    shutil.copy(train[0], excluded)
    both = prepare(
        replace(
            options(folder),
            images=(folder / "images", copies / "images"),
            annotations=(folder / "labels", copies / "labels"),
            exclude_like=(excluded,),
        )
    )
    validation = {photograph.path.name for photograph in both.validation.photographs}
    assert validation
    learnt = {photograph.path.name for photograph in both.train.photographs}
    assert not learnt & (validation | {train[0].name})
    assert {photograph.path.parents[1] for photograph in both.validation.photographs} == {folder}
    assert both.counts()[1][LEFT_OUT] == len(validation) + (train[0].name not in validation)


@pytest.mark.parametrize(
    ("line", "problem"),
    [("0 0.5 0.5 0 0.1", "empty box"), ("0 nan 0.5 0.1 0.1", ""), ("0 5 5 0.1 0.1", "outside")],
)
def test_boxes_that_cannot_be_are_left_out(
    folder: Path, tmp_path: Path, line: str, problem: str
) -> None:
    """They are counted among the problems, and the run goes on without them."""
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    (copy / "labels" / "000.txt").write_text(f"{line}\n", encoding="utf-8")
    pictures = prepare(options(copy))
    assert any(problem in text for text in pictures.problems)
    assert sum(row["train faces"] + row["val faces"] for row in pictures.counts()) == 13


def test_a_class_to_ignore_is_no_face_to_learn(folder: Path, tmp_path: Path) -> None:
    """Its boxes are handed on apart; a class that does not occur is a slip of the pen."""
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    label_file = copy / "labels" / "000.txt"
    label_file.write_text(f"{label_file.read_text()}1 0.2 0.2 0.1 0.1\n", encoding="utf-8")
    pictures = prepare(replace(options(copy), ignored_labels=("1",)))
    assert sum(row["train faces"] + row["val faces"] for row in pictures.counts()) == 14
    boxed = [
        feed.read(i) for feed in (pictures.train, pictures.validation) for i in range(len(feed))
    ]
    assert sum(len(one.faces) for one in boxed) == 14
    ignored = np.concatenate([one.ignored for one in boxed])
    np.testing.assert_allclose(ignored, [[19.2, 14.4, 32, 24]], rtol=1e-5)
    with pytest.raises(
        DatasetError, match="no class 'hidden' to ignore: the annotations have 0, 1"
    ):
        prepare(replace(options(copy), ignored_labels=("hidden",)))


def test_labels_for_missing_and_broken_pictures_are_noted(folder: Path, tmp_path: Path) -> None:
    """One picture gone, one that is no picture: two problems, fourteen pictures left."""
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    (copy / "images" / "000.png").unlink()
    (copy / "images" / "001.png").write_bytes(b"not a picture")
    pictures = prepare(options(copy))
    assert len(pictures.photographs) == 14
    assert any("000" in text for text in pictures.problems)
    assert any("001.png: is not a picture" in text for text in pictures.problems)


def test_pictures_without_a_single_face_are_refused(tmp_path: Path) -> None:
    """There is nothing to learn from them alone."""
    bare = write_boxed(tmp_path / "bare", 4, empty=4)
    with pytest.raises(DatasetError, match="not a single face"):
        prepare(options(bare))


@pytest.mark.parametrize("damage", ["truncated", "other", "missing", "no weights"])
def test_from_another_network_is_refused(tmp_path: Path, damage: str) -> None:
    """One line each: a damaged file, another network's, none."""
    copy = Path(shutil.copytree(bundled("face_detector/original"), tmp_path / "face"))
    path = next(copy.glob("*.npz"))
    if damage == "no weights":
        card_path = next(copy.glob("*.json"))
        card = json.loads(card_path.read_text(encoding="utf-8"))
        del card["files"]["weights"]
        card_path.write_text(json.dumps(card), encoding="utf-8")
        with pytest.raises(ModelError, match="cannot be trained on"):
            weights.load_from(copy)
        return
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:5000])
    elif damage == "other":
        np.savez(path, **{"dense/0": np.zeros((3, 3))})
    else:
        path.unlink()
    expected = {"truncated": "damaged", "other": "another network", "missing": "cannot be read"}
    with pytest.raises(ModelError, match=expected[damage]):
        weights.load(path)
    with pytest.raises(ModelError):
        weights.load_from(copy)


def test_a_run_is_interrupted_goes_on_and_leaves_a_detector(
    maskdet_here: Cli, folder: Path, tmp_path: Path
) -> None:
    """SIGTERM keeps the passes done; --resume takes the run to its end, files, card and report."""
    run, output = tmp_path / "run", tmp_path / "face"
    given = replace(
        options(folder),
        measured_sizes=(SIZE,),
        from_face="original",
        passes=400,
        batch_size=4,
        run_dir=run,
        output=output,
    )
    lines: list[str] = []

    def say(line: str) -> None:
        lines.append(line)
        if line.startswith("pass 1"):
            os.kill(os.getpid(), signal.SIGTERM)
        if line.startswith("stopped as asked"):
            raise KeyboardInterrupt  # what comes of the first passes is of no interest here

    with stepwise(), pytest.raises(KeyboardInterrupt):
        train(given, say=say, show=lambda _, __: None)
    assert f"--resume {run} goes on" in lines[-1]
    passes = (run / "history.csv").read_text(encoding="utf-8").count("\n") - 1
    config = (run / "config.toml").read_text(encoding="utf-8")
    (run / "config.toml").write_text(
        config.replace("passes = 400", f"passes = {passes + 1}"), encoding="utf-8"
    )
    with stepwise():
        resumed = maskdet_here("train-faces", "--resume", run)
    assert resumed.returncode == 0, resumed.stderr
    assert f"pass {passes + 1}/{passes + 1}" in resumed.stderr
    assert f"pass {passes}/" not in resumed.stderr
    assert "average precision" in resumed.stdout
    names = {path.name for path in run.iterdir()}
    assert {
        "config.toml",
        "split.csv",
        "history.csv",
        "report.txt",
        "plot.png",
        "best.npz",
    } <= names
    card = json.loads((output / "ssd_faces.json").read_text(encoding="utf-8"))
    assert 0.05 <= card["default_confidence"] <= 0.95
    assert card["training"]["recipe"]["passes"] == passes + 1
    assert str(tmp_path) not in json.dumps(card)
    picture = cv2.imread(str(folder / "images" / "000.png"))
    for precision in ("int8", "float16"):
        detector = load_face_detector(output, precision=precision, confidence=0.01)
        assert len(detector.detect(picture)[0])
    assert network_of(weights.load_from(output)) is FINE


def test_a_detector_that_is_not_there_is_one_line(maskdet: Cli, folder: Path) -> None:
    """And exit code 1, before TensorFlow is loaded; a file is no detector either."""
    data = ("--images", folder / "images", "--annotations", folder / "labels")
    done = maskdet("train-faces", *data, "--from", "nowhere")
    assert_user_error(done, "nowhere", "no such folder")
    done = maskdet("train-faces", *data, "--from", folder / "images" / "000.png")
    assert_user_error(done, "000.png", "is not a face detector's folder, card (.json) or network")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sizes": (100,)}, "multiples of 16"),
        ({"measured_sizes": (300,)}, "multiples of 16"),
        ({"format": "coco"}, "is not coco"),
        ({"images": (Path(), Path())}, "2 --images but 1 --annotations"),
    ],
)
def test_wrong_options_are_refused(
    folder: Path, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    """Before anything is trained or written."""
    wrong = replace(options(folder), from_face="original", run_dir=tmp_path / "run", **changes)
    with pytest.raises(DatasetError, match=message):
        train(wrong, say=lambda _: None, show=lambda _, __: None)
    assert not (tmp_path / "run").exists()


def test_an_output_that_holds_a_model_is_refused(folder: Path, tmp_path: Path) -> None:
    """A detector is replaced if asked for only; beside another model's card it would be lost."""
    output = tmp_path / "face"
    output.mkdir()
    given = replace(options(folder), output=output, run_dir=tmp_path / "run")
    for name, message in (("ssd_faces.json", "--overwrite replaces it"), ("x.json", "another mod")):
        (output / name).write_text("{}", encoding="utf-8")
        with pytest.raises(OutputError, match=message):
            train(given, say=lambda _: None, show=lambda _, __: None)
    assert not (tmp_path / "run").exists()
    replace(given, output=tmp_path / "new" / "face").check_output(resumed=False)
    assert not (tmp_path / "new").exists()


def test_a_run_is_the_same_again(folder: Path, tmp_path: Path) -> None:
    """The seed decides the fresh heads of a network without heads for small faces, too."""
    kept = []
    for name in ("a", "b"):
        given = replace(
            options(folder),
            measured_sizes=(SIZE,),
            from_face="original",
            passes=1,
            batch_size=12,
            run_dir=tmp_path / name,
        )
        lines: list[str] = []

        def stop(line: str, lines: list[str] = lines) -> None:
            lines.append(line)
            if line.startswith("pass 1"):
                raise KeyboardInterrupt

        with stepwise(), pytest.raises(KeyboardInterrupt):
            train(given, say=stop, show=lambda _, __: None)
        assert f"--resume {tmp_path / name} goes on" in lines[-1]
        with np.load(tmp_path / name / "best.npz") as arrays:
            kept.append([arrays[key] for key in arrays.files])
    for first, second in zip(*kept, strict=True):
        np.testing.assert_allclose(first, second, atol=1e-4)


def test_missing_options_are_wrong_usage(maskdet: Cli) -> None:
    """Exit code 2 names the option."""
    done = maskdet("train-faces")
    assert done.returncode == 2
    assert "--images" in done.stderr
