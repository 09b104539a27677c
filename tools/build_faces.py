"""Builds the bundled face detector: YuNet's body under an SSD's heads, trained on masked faces.

    python tools/build_faces.py --data ../shared/data

Makes a network that starts as YuNet and sets of boxed pictures in ``build/faces/``, then runs
``maskdet train-faces --config faces`` from the one on the others. Called again, it goes on with
the run it began. The sets, see `face_sets.py`:

- ``street``: the photographs of ``detection/train``, boxed by hand;
- ``three_class``: those of ``detection/three_class``, likewise, but for the ones kept apart;
- ``taught``: class pictures (``balaji`` and ``observations``) boxed by a teacher, YuNet again; see
  `face_teacher.py`;
- ``faceless``: what is no face; see `faceless_pictures.py`;
- ``held_out``: photographs and scenes that only measure. Training pictures that nearly match one of
  these or of ``detection/valid`` are left out.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path

import click
import numpy as np

from face_card import settle
from face_sets import (
    CLASSES,
    OVERLOOKED,
    ROOT,
    write_boxed,
    write_faceless,
    write_held_out,
    write_taught,
)
from maskdet.assets import sha256
from maskdet.train.config import FILE as RUN_OPTIONS
from maskdet.vision.faces.card import CARD_FORMAT, CARD_KIND
from maskdet.vision.faces.yunet import FILE_NAME

# The first is the kind the detector is for: it picks the best pass.
SETS: dict[str, Callable[[Path, Path], None]] = {
    "street": partial(write_boxed, "train"),
    "three_class": partial(write_boxed, "three_class"),
    "taught": write_taught,
    "faceless": write_faceless,
}


@contextmanager
def made(target: Path) -> Iterator[Path]:
    """Gives a folder to fill, which has its name once it is full."""
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    yield part
    part.rename(target)


def write_sets(data: Path, work: Path) -> None:
    """Writes sets, beginning and what measures, as far as they are not there yet."""
    for name, write in {**SETS, "yunet": write_start, "held_out": write_held_out}.items():
        if (work / name).exists():
            continue
        with made(work / name) as target:
            if name in SETS:
                (target / "images").mkdir()
                (target / "labels").mkdir()
                classes = "".join(f"{one}\n" for one in CLASSES)
                (target / "labels" / "classes.txt").write_text(classes, encoding="utf-8")
            write(data, target)


def write_start(data: Path, target: Path) -> None:
    """Writes a face detector's folder, its weights alone: what training goes on from."""
    # TensorFlow reads this once, when it is first imported.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from maskdet.train.faces.network import NMS_THRESHOLD
    from maskdet.train.faces.networks.registry import LIGHT
    from maskdet.train.faces.networks.yunet import load_yunet_weights, read_yunet
    from maskdet.train.faces.weights import WEIGHTS_KEY, arrays_of

    model = LIGHT.build()
    load_yunet_weights(model, read_yunet(data / "weights" / FILE_NAME))
    path = target / "yunet_weights.npz"
    np.savez(path, **arrays_of(model))
    entry = {"name": path.name, "sha256": sha256(path)}
    card = {
        "format": CARD_FORMAT,
        "kind": CARD_KIND,
        "default_precision": WEIGHTS_KEY,  # nothing in it is to be run
        "input": {"size": LIGHT.sizes[0], "multiple_of": LIGHT.multiple_of},
        "prior_boxes": asdict(LIGHT.spec),
        "nms_threshold": NMS_THRESHOLD,
        "default_confidence": 0.5,
        "files": {WEIGHTS_KEY: entry},
    }
    (target / "yunet.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


@click.command(help=__doc__)
@click.option(
    "--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True
)
@click.option(
    "--work",
    type=click.Path(path_type=Path),
    default=ROOT / "build" / "faces",
    help="Folder for the beginning, the sets and the run; made unless there.",
)
@click.option("--output", type=click.Path(path_type=Path), default=ROOT / "face_detector")
@click.option("--only-data", is_flag=True, help="Makes beginning and sets and stops.")
@click.argument("train_options", nargs=-1, type=click.UNPROCESSED)
def main(
    data: Path, work: Path, output: Path, only_data: bool, train_options: tuple[str, ...]
) -> None:
    """Makes beginning and sets, trains, and settles the card."""
    write_sets(data, work)
    if only_data:
        return
    command = [sys.executable, "-m", "maskdet", "train-faces"]
    run = work / "run"
    if (run / RUN_OPTIONS).is_file():
        command += ["--resume", str(run), *train_options]
    else:
        for name in SETS:
            images, labels = work / name / "images", work / name / "labels"
            command += ["--images", str(images), "--annotations", str(labels)]
        measured = data / "detection" / "valid", work / "held_out" / "photographs"
        for held_out in (*(folder / "images" for folder in measured), work / "held_out" / "scenes"):
            command += ["--exclude-like", str(held_out)]
        command += [
            *("--config", "faces", "--from", str(work / "yunet"), "--ignore", OVERLOOKED),
            *("--output", str(output), "--overwrite", "--run-dir", str(run)),
            *train_options,
        ]
    ended = subprocess.run(command, check=False).returncode
    if ended == 0:
        (card,) = output.glob("*.json")
        click.echo(settle(card, work / next(iter(SETS)), run / "split.csv"))
    raise SystemExit(ended)


if __name__ == "__main__":
    main()
