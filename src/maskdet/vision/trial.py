"""The process in which a network is tried out: ``python -m maskdet.vision.trial KIND SHAPE FILE…``.

It may end in any way; see `maskdet.vision.trust`.
"""

import contextlib
import gc
import os
import sys
from pathlib import Path

import numpy as np

from maskdet.errors import ModelError
from maskdet.vision.runtime import Network
from maskdet.vision.trust import REFUSED

# Beyond what any network needs; what asks for more is damaged, and must not take it from others.
_LEAST_MEMORY = 4 << 30
_ROUNDS = 2


def limit_resources() -> None:
    """Takes no more memory than the machine has, and leaves no core file, where that can be set."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        most = max(memory, _LEAST_MEMORY)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def run_tflite(shape: str, path: Path) -> None:
    """Runs a TFLite network as detection does: two samples at a time, several times over.

    Args:
        shape: of its input, ``1x320x320x3``; ``own`` for the file's.
        path: of the file.

    Raises:
        ModelError: LiteRT refuses it.
    """
    sides = None if shape == "own" else [int(side) for side in shape.split("x")]
    random = np.random.default_rng(0)
    # A second time, since what is torn down may be what is broken.
    for _ in range(2):
        network = Network(path, input_shape=sides, lanes=2, trusted=True)
        for _ in range(_ROUNDS):
            shape_of_two = (2, *network.input_shape[1:])
            network.run(random.integers(0, 256, shape_of_two, dtype=np.uint8))
        del network
        gc.collect()


def run_opencv(kind: str, size: str, files: list[Path]) -> None:
    """Runs one of the face detectors that OpenCV runs.

    Args:
        kind: ``yunet`` or ``caffe``.
        size: see the detectors' ``face_size``.
        files: of the network.

    Raises:
        ModelError: OpenCV refuses it.
    """
    # OpenCV takes as long to load as a TFLite network to run.
    from maskdet.vision.faces.caffe import CaffeFaceDetector
    from maskdet.vision.faces.yunet import YunetFaceDetector

    random = np.random.default_rng(0)
    for _ in range(2):
        detector = (
            YunetFaceDetector(files[0], face_size=int(size), trusted=True)
            if kind == "yunet"
            else CaffeFaceDetector(*files, confidence=None, face_size=int(size), trusted=True)
        )
        for _ in range(_ROUNDS):
            detector.detect(random.integers(0, 256, (480, 640, 3), dtype=np.uint8))
        del detector
        gc.collect()


def main(arguments: list[str]) -> int:
    """Runs a network; returns the process's exit code."""
    kind, shape, *names = arguments
    files = [Path(name) for name in names]
    limit_resources()
    try:
        if kind == "tflite":
            run_tflite(shape, files[0])
        else:
            run_opencv(kind, shape, files)
    except ModelError as error:
        print(error)
        return REFUSED
    except MemoryError:
        print(f"{files[-1]}: is damaged: it asks for more memory than there is")
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
