"""`detect --model` with a model that is not maskdet's own."""

import re
import shutil
from pathlib import Path

from command_line import ROOT, Cli


def save_network(path: Path) -> None:
    """Saves a small network of two answers, untrained."""
    import keras

    keras.utils.set_random_seed(0)
    layers = keras.layers
    keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Conv2D(4, 3, strides=2, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(2, activation="softmax"),
        ]
    ).save(path)


def test_a_keras_file_alone_is_converted_once(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """A `.keras` file without its card is converted with a message, and found again."""
    model = tmp_path / "mine.keras"
    save_network(model)
    run = ("detect", "--source", samples / "astronaut_masked.jpg", "--no-output", "--model", model)
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    first = maskdet(*run, **cache)
    assert first.returncode == 0, first.stderr
    assert "converting it, once" in first.stderr
    assert "1 picture, 1 face" in first.stdout
    again = maskdet(*run, **cache)
    assert again.returncode == 0
    assert "converting" not in again.stderr
    assert "labels are taken to be with_mask, without_mask" in again.stderr


def test_a_file_that_is_no_model(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """Junk under a model's name is one clear line, and nothing is kept of it."""
    (tmp_path / "junk.h5").write_text("junk")
    done = maskdet(
        "detect", "--source", samples / "astronaut.jpg", "--quiet", "--no-output", "--model",
        tmp_path / "junk.h5", XDG_CACHE_HOME=str(tmp_path / "cache"),
    )  # fmt: skip
    assert done.returncode == 1
    begun, failed = done.stderr.splitlines()
    assert "junk.h5: not maskdet's own format; converting it, once" in begun
    assert re.search("junk.h5: cannot be converted .*HDF5", failed)
    assert not (tmp_path / "cache" / "maskdet").exists()


def test_what_was_assumed_is_said_each_time(maskdet: Cli, samples: Path, tmp_path: Path) -> None:
    """Both runs say the labels; a labels.txt beside the model changes them and is not missed."""
    model = tmp_path / "theirs.H5"
    shutil.copy(ROOT / "tests" / "cases" / "keras2" / "nested.h5", model)
    run = ("detect", "--source", samples / "astronaut.jpg", "--no-output", "--model", model)
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    first, again = maskdet(*run, **cache), maskdet(*run, **cache)
    assert "converting it, once" in first.stderr
    assert again.stderr == first.stderr.split("\n", 1)[1]
    assert "labels are taken to be with_mask, without_mask; its input" in again.stderr
    (tmp_path / "labels.txt").write_text("off\non\n")
    told = maskdet(*run, **cache)
    assert "taken to be with_mask" not in told.stderr
    assert "On" in told.stdout
