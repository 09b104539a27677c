"""Model files of others as Keras models: HDF5, `.keras`, and SavedModel folders of Keras 2.

Nothing in a file is run. Its layers are made anew, Keras's own ones only, and its arrays are put
into them: Keras 3 itself reads little of what Keras 2 wrote, such as no MobileNetV2.
"""

import copy
import json
import shutil
import struct
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

import h5py
import keras
import tensorflow as tf

from maskdet.errors import ModelError
from maskdet.train.others import configs
from maskdet.train.others.weights import fill_from_checkpoint, fill_from_hdf5

HDF5_SUFFIXES = (".h5", ".hdf5", ".model")
SUPPORTED = "a whole model as .keras, HDF5 (.h5, .hdf5, .model), or Keras's SavedModel folder"
_METADATA = "keras_metadata.pb"
# What a damaged file may come to, in the libraries that read it.
_DAMAGE = (
    ArithmeticError, AttributeError, EOFError, LookupError, MemoryError, NotImplementedError,
    OSError, RecursionError, RuntimeError, TypeError, ValueError, struct.error,
    tf.errors.OpError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def read_keras_model(path: Path) -> Any:
    """Reads a model file or folder.

    Raises:
        ModelError: it is missing, damaged, of another kind, or has a layer that is not Keras's.
    """
    if not path.exists():
        raise ModelError(f"{path}: no such model file")
    suffix = path.suffix.lower()
    if path.is_dir():
        read = _read_saved_model
    elif suffix in HDF5_SUFFIXES:
        read = _read_hdf5
    elif suffix == ".keras":
        read = _read_keras
    else:
        raise ModelError(f"{path}: is no model that can be read; supported is {SUPPORTED}")
    try:
        return read(path)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None
    except _DAMAGE as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise ModelError(f"{path}: cannot be read as a Keras model ({reason})") from None


def _read_hdf5(path: Path) -> Any:
    try:
        file = h5py.File(path)
    except OSError:
        raise ModelError("is not an HDF5 file, or is damaged") from None
    with file:
        text = file.attrs.get("model_config")
        if text is None:
            raise ModelError("holds weights alone and no graph; save the whole model")
        config = json.loads(text)
        configs.check(config)
        version = file.attrs.get("keras_version", b"2")
        if str(version.decode() if isinstance(version, bytes) else version).startswith("3"):
            with tempfile.TemporaryDirectory() as folder:
                # Keras goes by the suffix, and there are others.
                usual = Path(folder) / "model.h5"
                shutil.copyfile(path, usual)
                return keras.saving.load_model(usual, compile=False, safe_mode=True)
        model = _build(configs.translate(config))
        fill_from_hdf5(model, file)
        return model


def _read_keras(path: Path) -> Any:
    if not zipfile.is_zipfile(path):
        raise ModelError("is not a .keras file, or is damaged")
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
        about = json.loads(archive.read("metadata.json"))
    configs.check(config)
    if str(about.get("keras_version", "3")).startswith("2"):
        raise ModelError("is a .keras file of Keras 2; save the model there as .h5")
    return keras.saving.load_model(path, compile=False, safe_mode=True)


def _read_saved_model(path: Path) -> Any:
    if not (path / "saved_model.pb").is_file():
        raise ModelError(f"is a folder without a model; supported is {SUPPORTED}")
    if not (path / _METADATA).is_file():
        raise ModelError(
            f"is a SavedModel without Keras's description ({_METADATA}); "
            "save the model as .keras or .h5"
        )
    # TensorFlow keeps Keras 2's format of this file.
    from tensorflow.python.keras.protobuf.saved_metadata_pb2 import SavedMetadata

    metadata = SavedMetadata.FromString((path / _METADATA).read_bytes())
    root = next(node for node in metadata.nodes if node.node_path == "root")
    about = json.loads(root.metadata, object_hook=_without_tuples)
    config = {"class_name": about["class_name"], "config": about.get("config")}
    if config["class_name"] not in configs.CONTAINERS or not config["config"]:
        raise ModelError(f"is a model class of its maker ({config['class_name']}), not Keras")
    configs.check(config)
    translated = configs.translate(config)
    model = _build(translated)
    fill_from_checkpoint(model, translated, str(path / "variables" / "variables"))
    return model


def _without_tuples(value: Any) -> Any:
    return value["items"] if value.get("class_name") == "__tuple__" else value


def _build(config: configs.Config) -> Any:
    if config["class_name"] not in configs.CONTAINERS:
        raise ModelError(f"is a {config['class_name']}, no model of layers")
    kind = keras.Sequential if config["class_name"] == "Sequential" else keras.Model
    # Keras takes what it has understood out of the config.
    return kind.from_config(copy.deepcopy(config["config"]))
