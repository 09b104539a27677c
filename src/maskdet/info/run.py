"""Gathers everything that a report of a fault should carry."""

import importlib.metadata
import platform
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from maskdet import __version__
from maskdet.assets import cache_folder
from maskdet.errors import ModelError
from maskdet.extras import missing
from maskdet.info.models import NetworkFile, try_files
from maskdet.media.cameras import AnsweringCamera, answering_cameras
from maskdet.media.window import may_have_display
from maskdet.processor import Processor, processor
from maskdet.vision.classifier import find_card as find_classifier_card
from maskdet.vision.faces.loading import face_detector_folder, find_card

# In the order in which they matter to a run.
_LIBRARIES = (
    "ai-edge-litert",
    "opencv-python",
    "opencv-python-headless",
    "opencv-contrib-python",
    "av",
    "numpy",
    "scipy",
    "scikit-learn",
    "matplotlib",
    "pillow",
    "imutils",
    "click",
    "rich",
    "pyyaml",
    "pi-heif",
    "tensorflow",
    "h5py",
)
_GPU_TIMEOUT = 120.0
_ASK_TENSORFLOW = (
    "from maskdet.train.quiet import import_tensorflow; import_tensorflow(); "
    "import tensorflow as tf; print(len(tf.config.list_physical_devices('GPU')))"
)


@dataclass(frozen=True)
class InfoOptions:
    """What `maskdet info` was asked to look at.

    Attributes:
        model: classifier named by the user; ``None`` for the bundled one.
        face: face detector's folder or name; ``None`` for the bundled one.
        cameras: whether cameras are opened to see whether they answer.
    """

    model: Path | None = None
    face: Path | None = None
    cameras: bool = True


@dataclass(frozen=True)
class Info:
    """What was found out.

    Attributes:
        version: of maskdet.
        python: version and implementation.
        system: operating system.
        libraries: name to version of what is installed.
        extras: name to the libraries it lacks; empty where it is complete.
        processor: what computes.
        gpu: what TensorFlow could train on, in words.
        display: whether there is a display to open a window on, as far as can be told unopened.
        cameras: those that gave a picture; ``None`` where nobody looked.
        networks: the networks' files, checked and timed.
        problems: one line for each thing that is wrong.
        cache: where converted and downloaded models are kept.
        runs: where runs go by default.
    """

    version: str
    python: str
    system: str
    libraries: dict[str, str]
    extras: dict[str, tuple[str, ...]]
    processor: Processor
    gpu: str
    display: bool
    cameras: tuple[AnsweringCamera, ...] | None
    networks: tuple[NetworkFile, ...]
    problems: tuple[str, ...]
    cache: Path
    runs: Path = field(default_factory=lambda: Path("runs").absolute())

    def to_json(self) -> dict[str, Any]:
        """Returns everything as a JSON-ready object."""
        content = asdict(self)
        content["processor"]["dot_products"] = self.processor.dot_products
        for network in content["networks"]:
            network["path"] = str(network["path"])
        content["cache"], content["runs"] = str(self.cache), str(self.runs)
        return content


def gather(options: InfoOptions) -> Info:
    """Looks at the installation, the machine and the models. Never fails over what it finds."""
    networks, problems = _networks(options)
    return Info(
        version=__version__,
        python=f"{platform.python_version()} ({platform.python_implementation()})",
        system=platform.platform(),
        libraries=_libraries(),
        extras={"train": missing("train")},
        processor=processor(),
        gpu=_gpu(),
        display=may_have_display(),
        cameras=answering_cameras() if options.cameras else None,
        networks=tuple(networks),
        problems=tuple(problems),
        cache=cache_folder(),
    )


def _libraries() -> dict[str, str]:
    versions = {}
    for name in _LIBRARIES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def _networks(options: InfoOptions) -> tuple[list[NetworkFile], list[str]]:
    networks: list[NetworkFile] = []
    problems: list[str] = []
    try:
        folder = face_detector_folder(options.face)
        card = find_card(folder)
        if card is None:
            problems.append(f"{folder}: holds no card to check it by")
        else:
            networks += try_files("faces", card)
    except ModelError as error:
        problems.append(str(error))
    try:
        networks += try_files("masks", find_classifier_card(options.model))
    except ModelError as error:
        problems.append(str(error))
    problems += [network.problem for network in networks if network.problem]
    return networks, problems


def _gpu() -> str:
    """Tells what TensorFlow could train on, asking it only where there may be something."""
    if missing("train"):
        return "not known: TensorFlow is not installed"
    if sys.platform != "darwin" and shutil.which("nvidia-smi") is None:
        return "none: no NVIDIA driver found"
    try:
        done = subprocess.run(
            [sys.executable, "-c", _ASK_TENSORFLOW],
            capture_output=True,
            text=True,
            check=False,
            timeout=_GPU_TIMEOUT,
        )
    except subprocess.TimeoutExpired:
        return "not known: TensorFlow does not answer"
    count = done.stdout.strip().rsplit("\n", 1)[-1]
    if done.returncode != 0 or not count.isdigit():
        return "not known: TensorFlow cannot be loaded"
    return f"{count} seen by TensorFlow" if count != "0" else "none seen by TensorFlow"
