"""Whole runs in this process: what they leave, how they stop, how they go on."""

import csv
import errno
import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from maskdet.assets import card_file, read_card, sha256
from maskdet.errors import MaskdetError, ModelError, OutputError
from maskdet.train import checkpoint
from maskdet.train.classifier import run as runs
from maskdet.train.classifier.dataset import Dataset, prepare
from maskdet.train.classifier.feed import batches
from maskdet.train.classifier.model import build
from maskdet.train.classifier.options import TrainOptions
from maskdet.train.classifier.trainer import Trainer
from maskdet.train.journal import CHECKPOINT, Journal
from maskdet.vision.classifier import MaskClassifier
from maskdet.vision.preprocessing import scale_to_unit
from train_pictures import write_classes

SMALL = TrainOptions(
    dataset=(),
    architecture="small_cnn",
    image_size=32,
    head_units=8,
    dropout=0.2,
    epochs=3,
    batch_size=8,
    learning_rate=3e-3,
    export=("float32",),
)


def quietly(*_: object) -> None:
    """Takes log lines and progress, and drops them."""


def small(tmp_path: Path, **changes: Any) -> TrainOptions:
    """Returns options of a run that takes a second, on pictures made for it."""
    folder = tmp_path / "pictures"
    if not folder.exists():
        write_classes(folder, 20)
    given: dict[str, Any] = {"dataset": (folder,), "run_dir": tmp_path / "run", **changes}
    return replace(SMALL, **given)


def trainer(options: TrainOptions, folder: Path, say: Any = quietly) -> Trainer:
    """Builds the trainer of a run without what comes after training."""
    folder.mkdir(exist_ok=True)
    keras.utils.set_random_seed(options.seed)
    dataset = prepare(options)
    journal = Journal(folder, dataset.collection.fingerprint, say=say, show=quietly)
    return Trainer(
        options, build(options, 2), dataset.feeds["train"], dataset.feeds["val"], journal
    )


@pytest.fixture
def small_backbone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Puts a few layers of MobileNetV2's names in its place; returns a file of their weights."""

    def backbone(input_shape: tuple[int | None, ...], **_: object) -> Any:
        tensor = inputs = keras.Input(input_shape)
        for name, filters, stride in (("Conv1", 8, 8), ("block_16_expand", 16, 2), ("out", 16, 2)):
            tensor = keras.layers.Conv2D(filters, 3, stride, padding="same", name=name)(tensor)
            tensor = keras.layers.BatchNormalization(name=f"{name}_BN")(tensor)
            tensor = keras.layers.ReLU(6.0, name=f"{name}_relu")(tensor)
        return keras.Model(inputs, tensor)

    monkeypatch.setattr("keras.applications.MobileNetV2", backbone)
    path = tmp_path / "backbone.weights.h5"
    keras.utils.set_random_seed(3)
    backbone((None, None, 3)).save_weights(path)
    return path


def stop_after(passes: int) -> Any:
    """Returns a log that asks the process to stop, as Ctrl-C does, after some passes."""
    done: list[str] = []

    def say(line: str) -> None:
        if "validation loss" in line:
            done.append(line)
            if len(done) == passes:
                os.kill(os.getpid(), signal.SIGINT)

    return say


def test_pictures_are_fed_as_the_runtime_feeds_them(tmp_path: Path) -> None:
    """RGB scaled to [-1, 1], one label each: what the exported graph does with plain pixels."""
    feed = prepare(small(tmp_path)).feeds["val"]
    (inputs, labels, weights) = next(iter(batches(feed, size=32, batch_size=3)))
    expected = [scale_to_unit(feed.plain(index, size=32)) for index in range(3)]
    np.testing.assert_allclose(inputs.numpy(), np.stack(expected), atol=1e-6)
    assert inputs.numpy().min() < -0.5
    np.testing.assert_array_equal(labels.numpy().argmax(axis=1), feed.labels[:3])
    assert weights.shape == (3,)


def test_three_classes_and_what_a_run_leaves(tmp_path: Path) -> None:
    """A three-class set trains with no change; every file is there and the runtime runs it."""
    labels = ("correct", "incorrect", "none")
    dataset = write_classes(tmp_path / "d", 14, labels)
    result = runs.train(
        small(tmp_path, dataset=(dataset,), output=tmp_path / "out" / "three"),
        say=quietly,
        show=quietly,
    )
    assert {path.name for path in (tmp_path / "run").iterdir()} >= {
        *("config.toml", "history.csv", "plot.png", "classes.png", "confusion_matrix.png"),
        *("precision_recall.png", "reliability.png", "report.json", "report.txt"),
        *("errors.png", "split.csv"),
    }
    card = read_card(result.card)
    assert result.card == tmp_path / "out" / "three.json"
    assert card["labels"] == list(labels)
    assert card["temperature"] > 0
    for key in ("keras", "tflite"):
        card_file(result.card, card, key)
    assert not list((tmp_path / "out").glob(".part*"))
    classifier = MaskClassifier(result.card)
    frame = np.zeros((40, 40, 3), np.uint8)
    assert classifier.classify(frame, np.array([[0, 0, 40, 40]], np.float32))[0].shape == (1, 3)
    with (tmp_path / "run" / "history.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert report["test"]["accuracy"]["low"] <= report["test"]["accuracy"]["value"]


def test_resumed_run_ends_the_same(tmp_path: Path) -> None:
    """Interrupted after a pass and resumed, a run has the weights it would have had."""
    options = small(tmp_path)
    whole = trainer(options, tmp_path / "a")
    whole.run()
    stopped = trainer(options, tmp_path / "b", stop_after(1))
    stopped.run()
    assert stopped.journal.interrupted
    assert len(stopped.journal.progress.history) == 1
    resumed = trainer(options, tmp_path / "b")
    resumed.resume()
    resumed.run()
    assert resumed.journal.progress.history == whole.journal.progress.history
    for first, second in zip(
        whole.networks.whole.get_weights(), resumed.networks.whole.get_weights(), strict=True
    ):
        np.testing.assert_allclose(first, second, atol=1e-6)


@pytest.mark.parametrize("passes", [1, 3])
def test_both_phases_resume(tmp_path: Path, small_backbone: Path, passes: int) -> None:
    """The frozen phase on cached views and the coarse-to-fine phase each resume where they were."""
    options = small(
        tmp_path,
        architecture="mobilenet_v2",
        weights=str(small_backbone),
        image_size=64,
        epochs=2,
        views=2,
        fine_tune=2,
        fine_tune_from="block_16_expand",
        coarse_epochs=1,
        coarse_size=32,
        warm_up=0.2,
        optimizer="adamw",
    )
    whole = trainer(options, tmp_path / "a")
    whole.run()
    assert [row["size"] for row in whole.journal.progress.history] == [64, 64, 32, 64]
    trainer(options, tmp_path / "b", stop_after(passes)).run()
    resumed = trainer(options, tmp_path / "b")
    resumed.resume()
    assert len(resumed.journal.progress.history) == passes
    resumed.run()
    losses = [
        [row["val_loss"] for row in found.journal.progress.history] for found in (whole, resumed)
    ]
    np.testing.assert_allclose(losses[0], losses[1], atol=1e-4)


def test_interrupt_exports_the_best_so_far(tmp_path: Path) -> None:
    """Ctrl-C leaves a model; --resume of the run's folder finishes it."""
    options = small(tmp_path)
    result = runs.train(options, say=stop_after(2), show=quietly)
    assert read_card(result.card)["training"]["passes"] == 2
    resumed = runs.train(options, say=quietly, show=quietly, resume=tmp_path / "run")
    assert read_card(resumed.card)["training"]["passes"] == 3


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
    tmp_path: Path, small_backbone: Path, changes: dict[str, Any], message: str
) -> None:
    """Another network's file, a layer that is not there: said before anything is written."""
    (tmp_path / "notes.txt").write_text("no model")
    if "from_model" in changes:
        changes = {"from_model": tmp_path / changes["from_model"]}
    changes = {"weights": str(small_backbone), **changes}
    with pytest.raises(MaskdetError, match=message):
        runs.train(small(tmp_path, **changes), say=quietly, show=quietly)
    assert not (tmp_path / "run").exists()


def test_interrupt_during_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C after the last pass leaves no part of a model, and says how to go on."""
    lines: list[str] = []
    target = tmp_path / "out" / "model"

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

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


def test_run_folder_is_never_reused(tmp_path: Path) -> None:
    """A folder that is there already is not written into."""
    (tmp_path / "run").mkdir()
    with pytest.raises(OutputError, match="is there already"):
        runs.train(small(tmp_path), say=quietly, show=quietly)


MIRRORED = """
import sys
from maskdet.train.quiet import import_tensorflow
import_tensorflow()
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from pathlib import Path
from maskdet.train.classifier.options import TrainOptions
from maskdet.train.strategy import chosen_strategy
from maskdet.train.classifier.model import build
from maskdet.train.classifier.dataset import prepare
from maskdet.train.journal import Journal
from maskdet.train.classifier.trainer import Trainer
folder = Path(sys.argv[1])
options = TrainOptions(dataset=(folder,), architecture="small_cnn", image_size=32, epochs=2,
                       head_units=8, batch_size=8, strategy="mirrored")
data = prepare(options)
with chosen_strategy("mirrored"):
    print("replicas", tf.distribute.get_strategy().num_replicas_in_sync)
    journal = Journal(folder, "", say=print, show=lambda *_: None)
    Trainer(options, build(options, 2), data.feeds["train"], data.feeds["val"], journal).run()
"""


def test_two_devices(tmp_path: Path) -> None:
    """--strategy mirrored trains on two (virtual) devices."""
    write_classes(tmp_path, 10)
    program = MIRRORED.replace("MirroredStrategy()", "MirroredStrategy(['CPU:0', 'CPU:1'])")
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    assert "replicas 2" in done.stdout
    assert "train 2/2" in done.stdout
