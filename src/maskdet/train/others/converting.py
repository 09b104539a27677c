"""A model of others into maskdet's three files, compared with Keras before it is trusted."""

import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from maskdet.assets import sha256
from maskdet.detections import MASK_LABEL, NO_MASK_LABEL, FloatArray
from maskdet.errors import ModelError
from maskdet.train.card import versions, write_model
from maskdet.train.others.canonical import canonical
from maskdet.train.others.convention import Convention, convention_of
from maskdet.train.others.graph import to_tflite
from maskdet.train.others.reading import read_keras_model
from maskdet.vision.described import describe
from maskdet.vision.preprocessing import UInt8Array
from maskdet.vision.runtime import Network

USUAL_LABELS = (MASK_LABEL, NO_MASK_LABEL)  # the usual scripts sort their class folders
# What rounding may change of a probability; more where the model computes in 16 bits.
LARGEST_DIFFERENCE = 0.002
_LARGEST_IN_HALF = 0.02
_SAMPLES = 12


def convert_model(source: Path, target: Path, *, crop_margin: float = 0.0) -> Path:
    """Makes maskdet's three files from a model of others.

    Without pictures nothing can be calibrated: the TFLite file is float32, the temperature 1.

    Args:
        source: see `maskdet.train.others.reading.read_keras_model`.
        target: path of the model to write, without suffix.
        crop_margin: around face boxes; 0 is what the usual scripts cut.

    Returns:
        The path of the card, whose ``notes`` say what was assumed, in one line, and whose
        ``no_maps`` says why there are no heat maps, where there are none.

    Raises:
        ModelError: it cannot be read or converted, the labels beside it do not fit it, or what was
            made of it answers otherwise than Keras.
        OutputError: the files cannot be written.
    """
    told = describe(source)
    model = read_keras_model(source)
    try:
        convention = convention_of(model, levels=told.levels, colour=told.colour)
        labels, notes = usual_labels(told.labels, convention.labels)
        made = canonical(model, convention)
        tflite, no_maps = to_tflite(made)
        difference = compare(model, convention, tflite)
    except ModelError as error:
        raise ModelError(f"{source}: {error}") from None
    notes += convention.notes
    if notes:
        notes.append(f"a labels.txt or {source.stem}.json beside it can say otherwise")
    card: dict[str, Any] = {
        "architecture": "converted",
        "labels": list(labels),
        "input": {"size": convention.size, "colour": "RGB", "range": [0, 255]},
        "crop_margin": crop_margin,
        "temperature": 1.0,
        "notes": "; ".join(notes),
        **({} if no_maps is None else {"no_maps": no_maps}),
        "training": {
            "converted_from": source.name,
            **({"sha256": sha256(source)} if source.is_file() else {}),
            "input": {
                "colour": convention.colour if convention.channels == 3 else "grey",
                "range": [convention.low, convention.high],
            },
        },
        "metrics": {"conversion": {"samples": _SAMPLES, "largest_difference": difference}},
        "versions": versions(),
    }
    return write_model(target, made, {"float32": tflite}, default="float32", card=card)


def usual_labels(told: tuple[str, ...] | None, count: int) -> tuple[tuple[str, ...], list[str]]:
    """Returns a model's labels, and what was assumed about them.

    Args:
        told: what lies beside the model says.
        count: how many the model tells apart.

    Raises:
        ModelError: it is another number of labels.
    """
    if told is not None:
        if len(told) != count:
            raise ModelError(f"tells {count} labels apart, {len(told)} are named beside it")
        return told, []
    labels = USUAL_LABELS if count == 2 else tuple(f"class_{number}" for number in range(count))
    return labels, [f"its labels are taken to be {', '.join(labels)}"]


def compare(model: Any, convention: Convention, tflite: bytes) -> float:
    """Compares a converted file with Keras on drawn pictures.

    Args:
        model: as read.
        convention: what it takes and gives.
        tflite: the converted file.

    Returns:
        The largest difference of a probability.

    Raises:
        ModelError: it is more than rounding.
    """
    pictures = _samples(convention.size)
    given = model.predict(convention.prepare(pictures), verbose=0)
    expected = convention.probabilities(np.asarray(given, np.float32))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(tflite)
        found: FloatArray = Network(path).run(pictures)["probabilities"]
    difference = float(np.abs(found - expected).max())
    half = any(getattr(layer, "compute_dtype", "") == "float16" for layer in model.layers)
    # Not a number is no small difference.
    if not difference <= (_LARGEST_IN_HALF if half else LARGEST_DIFFERENCE):
        raise ModelError(
            f"its conversion answers otherwise than Keras, by up to {difference:.3f}, and was not "
            "kept"
        )
    return float(f"{difference:.1e}")


def _samples(size: int) -> UInt8Array:
    """Draws (N, size, size, 3) pictures: noise from fine to coarse, dark, bright and coloured."""
    random = np.random.default_rng(0)
    pictures = []
    for number in range(_SAMPLES):
        cells = max(1, size >> (number % 6))
        low, high = sorted(random.integers(0, 256, 2))
        noise = random.integers(low, high + 1, (cells, cells, 3), dtype=np.uint8)
        pictures.append(cv2.resize(noise, (size, size), interpolation=cv2.INTER_LINEAR))
    return np.stack(pictures).astype(np.uint8)
