"""The two networks' files: whether each is the one its card names, and how long it takes here."""

import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maskdet.assets import card_file, read_card
from maskdet.errors import ModelError
from maskdet.vision.card import fastest_key as fastest_masks
from maskdet.vision.card import read_classifier_card
from maskdet.vision.faces.card import read_face_card
from maskdet.vision.faces.loading import fastest_key as fastest_faces
from maskdet.vision.runtime import Network

_WARM_UP, _RUNS = 2, 10


@dataclass(frozen=True)
class NetworkFile:
    """A TFLite file, tried.

    Attributes:
        stage: ``faces`` or ``masks``.
        path: where it is.
        precision: such as ``int8``.
        default: whether it runs unless told otherwise.
        size: side of the input it was timed at, in pixels; ``None`` where it could not be.
        milliseconds: median time of one run on one thread, likewise.
        problem: why it cannot be run, ``None`` if it can.
    """

    stage: str
    path: Path
    precision: str
    default: bool
    size: int | None = None
    milliseconds: float | None = None
    problem: str | None = None


def try_files(stage: str, card_path: Path) -> list[NetworkFile]:
    """Checks and times every TFLite file that a card names, of either stage.

    Args:
        stage: ``faces`` or ``masks``.
        card_path: the card.

    Raises:
        ModelError: the card itself cannot be read.
    """
    card = read_card(card_path)
    files, wanted = card.get("files"), card.get("input")
    if not isinstance(files, dict) or not isinstance(wanted, dict):
        raise ModelError(f"{card_path}: names no files, or no input")
    usual = _usual_name(stage, card_path)
    found: dict[str, NetworkFile] = {}
    for key, entry in files.items():
        name = str(entry.get("name", "")) if isinstance(entry, dict) else ""
        if not name.endswith(".tflite"):
            continue
        # The classifier's default file is named twice: by its precision, and as "tflite".
        precision = str(entry.get("precision") or key.removeprefix("tflite_"))
        if name in found:
            continue
        tried = _tried(card_path, card, key, int(wanted.get("size", 0)))
        path, size, milliseconds, problem = tried
        found[name] = NetworkFile(
            stage, path, precision, name == usual, size, milliseconds, problem
        )
    return list(found.values())


def _usual_name(stage: str, card_path: Path) -> str | None:
    """Returns the name of the file that runs unless told otherwise; ``None`` where none can."""
    try:
        if stage == "faces":
            faces = read_face_card(card_path)
            return faces.files[fastest_faces(faces)].name
        masks = read_classifier_card(card_path)
        return masks.files[fastest_masks(masks)].name
    except (KeyError, ModelError):
        return None  # what is wrong is said of the file


def _tried(
    card_path: Path, card: dict[str, object], key: str, size: int
) -> tuple[Path, int | None, float | None, str | None]:
    path = card_path
    try:
        path = card_file(card_path, card, key)
        network = Network(path, input_shape=(1, size, size, 3))
        return path, size, _milliseconds(network), None
    except ModelError as error:
        return path, None, None, str(error)


def _milliseconds(network: Network) -> float:
    """Returns the median time of a run. Seeded noise, as zeros may take a processor less time."""
    batch = np.random.default_rng(0).integers(0, 256, network.input_shape, dtype=np.uint8)
    times = []
    for number in range(_WARM_UP + _RUNS):
        start = time.perf_counter()
        network.run(batch)
        if number >= _WARM_UP:
            times.append(1000 * (time.perf_counter() - start))
    return round(statistics.median(times), 2)
