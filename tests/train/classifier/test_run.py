"""Whole runs in this process: what they leave, how they stop, how they go on."""

import csv
import errno
import io
import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import small_backbone
from command_line import Cli
from maskdet.assets import card_file, read_card, sha256
from maskdet.errors import MaskdetError, ModelError, OutputError
from maskdet.media.inputs.decoding import read_picture
from maskdet.train import checkpoint
from maskdet.train.classifier import convert, finish, report
from maskdet.train.classifier import run as runs
from maskdet.train.classifier.dataset import Dataset, prepare
from maskdet.train.classifier.feed import batches
from maskdet.train.classifier.passes import watching
from maskdet.train.classifier.passes.sharing import filled, targets
from maskdet.train.classifier.passes.spread import Spread, same_answers
from maskdet.train.classifier.repeats import train_all
from maskdet.train.journal import CHECKPOINT
from maskdet.vision.classifier import MaskClassifier
from maskdet.vision.preprocessing import scale_to_unit
from small_runs import SMALL, quietly, small, stop_after, trainer
from train_pictures import write_classes


def test_pictures_are_fed_as_the_runtime_feeds_them(tmp_path: Path) -> None:
    """RGB scaled to [-1, 1], one label each: what the exported graph does with plain pixels."""
    feed = prepare(small(tmp_path)).feeds["val"]
    (inputs, labels, weights) = next(iter(batches(feed, size=32, batch_size=3)))
    expected = [scale_to_unit(feed.plain(index, size=32)) for index in range(3)]
    np.testing.assert_allclose(inputs.numpy(), np.stack(expected), atol=1e-6)
    assert inputs.numpy().min() < -0.5
    np.testing.assert_array_equal(labels.numpy().argmax(axis=1), feed.labels[:3])
    assert weights.shape == (3,)


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> runs.Result:
    """A whole run on three classes, its model where it was asked for."""
    folder = tmp_path_factory.mktemp("left")
    dataset = write_classes(folder / "d", 14, ("correct", "incorrect", "none"))
    options = replace(
        SMALL,
        dataset=(dataset,),
        output=folder / "out" / "three",
        run_dir=folder / "run",
        epochs=2,
        export=("float32", "int8"),
    )
    return runs.train(options, say=quietly, show=quietly)


def test_three_classes_and_what_a_run_leaves(left: runs.Result) -> None:
    """A three-class set trains with no change; every file is there and the runtime runs it."""
    assert {path.name for path in left.folder.iterdir()} >= {
        *("config.toml", "history.csv", "plot.png", "classes.png", "confusion_matrix.png"),
        *("precision_recall.png", "reliability.png", "report.json", "report.txt"),
        *("errors.png", "split.csv", "predictions.csv"),
    }
    card = read_card(left.card)
    assert left.card.name == "three.json"
    assert card["labels"] == ["correct", "incorrect", "none"]
    assert card["temperature"] == 1  # too few groups to tell
    for key in ("keras", "tflite", "tflite_float32", "tflite_int8"):
        card_file(left.card, card, key)
    assert not list(left.card.parent.glob(".part*"))
    classifier = MaskClassifier(left.card)
    frame = np.zeros((40, 40, 3), np.uint8)
    assert classifier.classify(frame, np.array([[0, 0, 40, 40]], np.float32))[0].shape == (1, 3)
    with (left.folder / "history.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    report = json.loads((left.folder / "report.json").read_text())
    assert report["test"]["accuracy"]["low"] <= report["test"]["accuracy"]["value"]
    assert set(report["export"]) == {"keras", "float32", "int8"}


def test_every_answer_is_in_a_table(left: runs.Result) -> None:
    """Part, label, answer and probabilities, of each export as the runtime gives them."""
    with (left.folder / "predictions.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    report = json.loads((left.folder / "report.json").read_text())
    counts = {part: report[part]["pictures"] for part in ("val", "test")}
    assert len(rows) == 3 * sum(counts.values())
    of_default = [row for row in rows if row["network"] == report["default"]]
    for part, count in counts.items():
        answers = [row for row in of_default if row["split"] == part]
        right = sum(row["answer"] == row["label"] for row in answers)
        assert right / count == pytest.approx(report[part]["accuracy"]["value"])
    classifier = MaskClassifier(left.card)
    row = of_default[0]
    picture = read_picture(Path(row["file"]))
    height, width = picture.shape[:2]
    found = classifier.classify(picture, np.array([[0, 0, width, height]], np.float32))[0][0]
    written = [float(row[name]) for name in classifier.labels]
    np.testing.assert_allclose(written, found, atol=1e-4)


def test_a_run_is_measured_again_by_evaluate(
    maskdet: Cli, left: runs.Result, tmp_path: Path
) -> None:
    """Evaluate --run takes the run's own model and pictures: the same figures come out."""
    done = maskdet("evaluate", "--run", left.folder, "--part", "val", "--output", "again")
    assert done.returncode == 0, done.stderr
    again = json.loads((tmp_path / "again" / "report.json").read_text())
    report = json.loads((left.folder / "report.json").read_text())
    for name in ("accuracy", "balanced_accuracy"):
        for end in ("value", "low", "high"):
            assert again["figures"][name][end] == pytest.approx(report["val"][name][end], abs=1e-6)


def test_what_is_reported_is_what_the_file_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that calls everything otherwise than Keras does is reported as wrong as it is."""
    real = convert.export

    def spoiled(model: Any, precision: str, calibration: Any) -> bytes:
        other = keras.models.clone_model(model)
        other.set_weights(model.get_weights())
        kernel, bias = model.get_layer("dense_1").get_weights()
        other.get_layer("dense_1").set_weights([-kernel, -bias])
        return real(other, precision, calibration)

    monkeypatch.setattr(convert, "export", spoiled)
    lines: list[str] = []
    result = runs.train(small(tmp_path, epochs=1), say=lines.append, show=quietly)
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    of_keras = report["export"]["keras"]["val"]["accuracy"]["value"]
    assert result.figures["val"]["accuracy"]["value"] == pytest.approx(1 - of_keras)
    assert any("float32 export changes 100.0% of the labels" in line for line in lines)


def test_the_table_and_the_plot_follow_each_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever watches a run sees both grow, not only its end."""
    monkeypatch.setattr(watching, "PLOT_SECONDS", 0.0)
    seen: list[tuple[int, int]] = []
    found = trainer(small(tmp_path, epochs=2), tmp_path / "a")

    def look(_: str) -> None:
        rows = (tmp_path / "a" / "history.csv").read_text().count("\n") - 1
        seen.append((rows, (tmp_path / "a" / "plot.png").stat().st_mtime_ns))

    found.journal.say = look
    found.run()
    assert [rows for rows, _ in seen] == [1, 2]
    assert seen[0][1] < seen[1][1]
    assert not list((tmp_path / "a").glob(".*"))


def test_a_network_from_scratch_learns_for_whoever_looks_at_inference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few dozen steps are enough for the statistics of its batch norms, too."""
    monkeypatch.setattr("keras.applications.MobileNetV2", small_backbone.small_backbone)
    options = small(
        tmp_path, architecture="mobilenet_v2", weights="none", image_size=32, epochs=5,
        augmentation="none", learning_rate=1e-2, schedule="constant",
    )  # fmt: skip
    found = trainer(options, tmp_path / "a")
    found.run()
    assert max(row["val_accuracy"] for row in found.journal.progress.history) > 0.85


def test_batch_norms_know_the_weights_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Running means trail behind weights; the best network has those of its own, over all views."""
    monkeypatch.setattr("keras.applications.MobileNetV2", small_backbone.small_backbone)
    options = small(
        tmp_path, architecture="mobilenet_v2", weights="none", image_size=32, epochs=1,
        augmentation="none",
    )  # fmt: skip
    found = trainer(options, tmp_path / "a")
    found.run()
    assert len(found.train) % options.batch_size  # a smaller last batch counts for less
    pictures = [scale_to_unit(found.train.plain(i, size=32)) for i in range(len(found.train))]
    norm = found.networks.whole.get_layer("Conv1_BN")
    before = keras.Model(found.networks.whole.input, norm.input)(np.stack(pictures)).numpy()
    np.testing.assert_allclose(norm.moving_mean, before.mean(axis=(0, 1, 2)), atol=1e-5)
    assert norm.momentum == 0.999


def test_answers_that_do_not_depend_on_the_picture_are_said() -> None:
    """Probabilities that are all alike are no answers; those that differ are."""
    lines: list[str] = []
    same = np.full((5, 2), 0.5, np.float32)
    same[0] += 0.002
    assert finish.warn_of_same_answers(same, lines.append)
    assert "do not depend on the picture" in lines[0]
    assert not finish.warn_of_same_answers(np.array([[0.9, 0.1], [0.2, 0.8]]), lines.append)
    assert len(lines) == 1


def test_passes_that_answer_alike_are_said_once(tmp_path: Path) -> None:
    """At a rate of next to nothing from weights of next to nothing: after the second pass, once."""
    lines: list[str] = []
    options = small(tmp_path, epochs=4, learning_rate=1e-12, dropout=0.0)
    found = trainer(options, tmp_path / "a", lines.append)
    last = found.networks.whole.get_layer("dense_1")
    last.set_weights([weight * 1e-4 for weight in last.get_weights()])
    found.run()
    said = [number for number, line in enumerate(lines) if "hardly depend on the picture" in line]
    assert said == [2]
    assert "validation loss" in lines[1]


def test_the_spread_is_a_standard_deviation() -> None:
    """Over real pictures, not those that fill a batch; the largest of any class."""
    answers = np.array([[0.2, 0.8, 0], [0.4, 0.5, 0.1], [0.9, 0.05, 0.05], [0, 0, 1]], np.float32)
    shares = np.array([1 / 3, 1 / 3, 1 / 3, 0], np.float32)
    metric = Spread(3)
    for rows in (slice(0, 2), slice(2, 4)):
        metric.update_state(targets(np.zeros(2, np.intp), shares[rows], 3), answers[rows])
    assert float(metric.result()) == pytest.approx(answers[:3].std(axis=0).max(), abs=1e-6)
    again = [{"val_spread": value} for value in (0.5, 0.001, 0.5, 0.001, 0.002, 0.001)]
    assert [bool(same_answers(again[:count])) for count in range(1, 7)] == [False] * 4 + [
        True,
        False,
    ]


def test_the_last_batch_is_filled_for_several_devices() -> None:
    """Its own pictures in turn, with no share in the loss; alone, a device needs none."""
    order, shares = filled(np.array([7, 3, 5, 1, 2]), 3, devices=2)
    assert order.tolist() == [7, 3, 5, 1, 2, 1]
    np.testing.assert_allclose(shares, [1 / 3] * 3 + [1 / 2] * 2 + [0])
    assert len(filled(np.arange(5), 3, devices=1)[0]) == 5
    assert len(filled(np.arange(6), 3, devices=2)[0]) == 6


def test_a_pass_has_the_loss_and_accuracy_of_keras(tmp_path: Path) -> None:
    """Weighted by class, label smoothing and a smaller last batch included."""
    options = small(tmp_path, epochs=1, label_smoothing=0.1, batch_size=7)
    found = trainer(options, tmp_path / "a")
    found.validation.weights[:] = np.linspace(0.5, 2, len(found.validation))
    found.run()
    feed, whole = found.validation, found.networks.whole
    network = keras.Model(whole.input, whole.output)  # its own metrics
    plain = [scale_to_unit(feed.plain(index, size=32)) for index in range(len(feed))]
    network.compile(loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.1))
    wanted = keras.utils.to_categorical(feed.labels, 2)
    loss = network.evaluate(np.stack(plain), wanted, sample_weight=feed.weights, verbose=0)
    (row,) = found.journal.progress.history
    assert row["val_loss"] == pytest.approx(loss, abs=1e-5)
    right = network.predict(np.stack(plain), verbose=0).argmax(axis=1) == feed.labels
    assert row["val_accuracy"] == pytest.approx(right.mean(), abs=1e-5)


def test_interrupt_exports_the_best_so_far(tmp_path: Path) -> None:
    """Ctrl-C leaves a model; --resume of the run's folder finishes it."""
    options = small(tmp_path)
    result = runs.train(options, say=stop_after(2), show=quietly)
    assert read_card(result.card)["training"]["passes"] == 2
    resumed = runs.train(options, say=quietly, show=quietly, resume=tmp_path / "run")
    assert read_card(resumed.card)["training"]["passes"] == 3


def test_interrupt_ends_several_runs(tmp_path: Path) -> None:
    """Not one of them, which would count with fewer passes; --resume takes all to their end."""
    options = small(tmp_path, repeats=2, epochs=2)
    with pytest.raises(MaskdetError, match=f"0 of 2 runs done: --resume {tmp_path / 'run'} goes"):
        train_all(options, say=stop_after(1), show=quietly, resume=None)
    assert not (tmp_path / "run" / "1" / "report.json").exists()
    assert not (tmp_path / "run" / "2").exists()
    done = train_all(options, say=quietly, show=quietly, resume=tmp_path / "run")
    assert [read_card(card)["training"]["passes"] for card in done.models] == [2, 2]


def test_interrupt_before_the_first_pass(tmp_path: Path) -> None:
    """Nothing learned is said, and nothing is written."""
    found = trainer(small(tmp_path), tmp_path / "a")
    lines: list[str] = []
    found.journal.say = lines.append
    found.journal.show = lambda *_: os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(MaskdetError, match="before the first pass"):
        found.run()
    assert lines == ["stopped as asked"]


def test_resume_with_other_pictures(tmp_path: Path) -> None:
    """A run whose pictures have changed does not go on silently."""
    options = small(tmp_path)
    trainer(options, tmp_path / "run", stop_after(1)).run()
    next((tmp_path / "pictures" / "with_mask").iterdir()).unlink()
    with pytest.raises(ModelError, match="other pictures or another network"):
        runs.train(options, say=quietly, show=quietly, resume=tmp_path / "run")


def test_resume_with_another_architecture(tmp_path: Path) -> None:
    """A checkpoint of other layers is refused."""
    trainer(small(tmp_path), tmp_path / "a", stop_after(1)).run()
    other = trainer(small(tmp_path, head_units=16), tmp_path / "a")
    with pytest.raises(ModelError, match="of another network"):
        other.resume()


def damaged(path: Path, damage: str) -> bytes:
    """Returns a checkpoint with one thing about it wrong."""
    if damage == "packed as nobody packs":
        data = bytearray(path.read_bytes())
        # Where the directory at the file's end says how its first entry is packed: in no way known.
        data[data.index(b"PK\1\2") + 10] = 99
        return bytes(data)
    arrays = checkpoint.read_arrays(path)
    arrays["progress"] = np.frombuffer(b"[" * 100_000, np.uint8)
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


@pytest.mark.parametrize("damage", ["packed as nobody packs", "nested too deeply"])
def test_resume_from_a_damaged_checkpoint(tmp_path: Path, damage: str) -> None:
    """What Python's own readers answer with errors of their own is one line, too."""
    path = tmp_path / "checkpoint.npz"
    checkpoint.save(path, checkpoint.Progress("mine"), [np.zeros(3)])
    assert checkpoint.load(path)[0].fingerprint == "mine"
    path.write_bytes(damaged(path, damage))
    with pytest.raises(ModelError, match="is not a checkpoint of maskdet, or is damaged"):
        checkpoint.load(path)


@pytest.mark.parametrize("content", [None, b"", b"PK broken"])
def test_resume_without_a_checkpoint(tmp_path: Path, content: bytes | None) -> None:
    """A missing or damaged checkpoint is one line."""
    found = trainer(small(tmp_path), tmp_path / "a")
    if content is not None:
        (tmp_path / "a" / CHECKPOINT).write_bytes(content)
    with pytest.raises(ModelError, match=CHECKPOINT):
        found.resume()


def test_early_stopping(tmp_path: Path) -> None:
    """Passes that no longer help end a phase."""
    lines: list[str] = []
    options = small(tmp_path, epochs=12, patience=1, learning_rate=1.0)
    found = trainer(options, tmp_path / "a", lines.append)
    found.run()
    assert len(found.journal.progress.history) < 12
    assert "no better for 1 passes, stopped early" in lines[-1]


def test_loss_that_is_no_number_keeps_the_best(tmp_path: Path) -> None:
    """When the loss diverges after a good pass, that pass's weights are kept."""
    lines: list[str] = []
    found = trainer(small(tmp_path), tmp_path / "a")

    def poison(line: str) -> None:
        lines.append(line)
        layer = found.networks.whole.get_layer("dense_1")
        layer.set_weights([weight * np.nan for weight in layer.get_weights()])

    found.journal.say = poison
    found.run()
    assert found.journal.diverged
    assert "no longer a number" in lines[-1]
    assert np.isfinite(found.networks.whole.get_layer("dense_1").get_weights()[0]).all()


def test_loss_that_never_was_a_number(tmp_path: Path) -> None:
    """Without a good pass there is nothing to keep."""
    found = trainer(small(tmp_path), tmp_path / "a")
    layer = found.networks.whole.get_layer("dense_1")
    layer.set_weights([weight * np.nan for weight in layer.get_weights()])
    with pytest.raises(MaskdetError, match="lower the learning rate"):
        found.run()


def test_full_disk_leaves_the_earlier_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the disk is full the earlier model is whole and no part files are left."""
    target = tmp_path / "out" / "model"
    first = runs.train(small(tmp_path, output=target, epochs=1), say=quietly, show=quietly)
    before = {path.name: sha256(path) for path in (tmp_path / "out").iterdir()}
    real = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if ".part-" in path.name:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    again = small(
        tmp_path, output=target, overwrite=True, epochs=1, seed=2, run_dir=tmp_path / "run2"
    )
    with pytest.raises(OutputError, match="No space left"):
        runs.train(again, say=quietly, show=quietly)
    assert {path.name: sha256(path) for path in (tmp_path / "out").iterdir()} == before
    card_file(first.card, read_card(first.card), "tflite")


def test_full_disk_in_a_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint that cannot be written is one line, and the earlier one stays."""
    found = trainer(small(tmp_path), tmp_path / "a", stop_after(1))
    found.run()
    before = sha256(tmp_path / "a" / CHECKPOINT)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    again = trainer(small(tmp_path), tmp_path / "a")
    again.resume()
    with pytest.raises(OutputError, match="No space left"):
        again.run()
    assert sha256(tmp_path / "a" / CHECKPOINT) == before
    assert not list((tmp_path / "a").glob(".*.part"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"from_model": "notes.txt"}, "is no model that can be read"),
        ({"strategy": "multiworker"}, "cannot train on several machines"),
        (
            {"architecture": "mobilenet_v2", "image_size": 64, "fine_tune_from": "top"},
            "--fine-tune-from top: no such layer",
        ),
    ],
)
def test_what_cannot_be_trained_leaves_no_run(
    tmp_path: Path,
    small_weights: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    message: str,
) -> None:
    """Another network's file, a layer that is not there: said before anything is written."""
    (tmp_path / "notes.txt").write_text("no model")
    if "from_model" in changes:
        changes = {"from_model": tmp_path / changes["from_model"]}
    monkeypatch.setattr("keras.applications.MobileNetV2", small_backbone.small_backbone)
    changes = {"weights": str(small_weights), **changes}
    with pytest.raises(MaskdetError, match=message):
        runs.train(small(tmp_path, **changes), say=quietly, show=quietly)
    assert not (tmp_path / "run").exists()


def test_interrupt_during_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C after the last pass leaves no part of a model, and says how to go on."""
    lines: list[str] = []
    target = tmp_path / "out" / "model"

    def interrupted(path: Path) -> str:
        if ".part-" in path.name:
            raise KeyboardInterrupt
        return sha256(path)

    options = small(tmp_path, output=target, epochs=1)
    with monkeypatch.context() as patch:
        patch.setattr("maskdet.assets.sha256", interrupted)
        with pytest.raises(KeyboardInterrupt):
            runs.train(options, say=lines.append, show=quietly)
    assert f"--resume {tmp_path / 'run'} goes on" in lines[-1]
    assert not list((tmp_path / "out").iterdir())
    resumed = runs.train(options, say=quietly, show=quietly, resume=tmp_path / "run")
    card_file(resumed.card, read_card(resumed.card), "tflite")


def test_full_disk_in_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the run says about its pictures cannot be written: one line, before training."""

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Dataset, "write", full)
    with pytest.raises(OutputError, match="cannot be written"):
        runs.train(small(tmp_path), say=quietly, show=quietly)


def test_a_report_is_there_when_the_run_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is stopped in its last words has none: what goes by it does the rest again."""

    def stopped(*_: object) -> str:
        raise KeyboardInterrupt

    options = small(tmp_path, epochs=1)
    with monkeypatch.context() as patch:
        patch.setattr(report, "_text", stopped)
        with pytest.raises(KeyboardInterrupt):
            runs.train(options, say=quietly, show=quietly)
    assert not (tmp_path / "run" / "report.json").exists()
    runs.train(options, say=quietly, show=quietly, resume=tmp_path / "run")
    assert (tmp_path / "run" / "report.json").is_file()


def test_run_folder_is_never_reused(tmp_path: Path) -> None:
    """A folder that is there already is not written into."""
    (tmp_path / "run").mkdir()
    with pytest.raises(OutputError, match="is there already"):
        runs.train(small(tmp_path), say=quietly, show=quietly)


def test_two_devices(tmp_path: Path, small_weights: Path) -> None:
    """--strategy mirrored: each phase ends as on one device, a picture left over or three."""
    labels = ("a", "b", "c")
    write_classes(tmp_path / "pictures" / "train", 3, labels)
    write_classes(tmp_path / "pictures" / "val", 1, labels, seed=1)
    program = Path(__file__).with_name("two_devices.py")
    done = subprocess.run(
        [sys.executable, program, tmp_path, small_weights],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 4
    for line in lines:
        weights, losses = map(float, re.findall(r"[\d.]+e[-+]\d+", line))
        assert "2 replicas" in line
        if line.startswith("batch norms"):  # each device's own: numbers, but others
            assert max(weights, losses) < 1, line
            continue
        assert weights < 1e-5, line
        assert losses < 1e-4, line
