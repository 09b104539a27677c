"""The maps themselves, for programs: one compressed NumPy archive a run."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from maskdet.detections import Detections
from maskdet.errors import OutputError
from maskdet.media.files import replacing
from maskdet.media.frames import Frame

if TYPE_CHECKING:
    from numpy.typing import NDArray


class RawMaps:
    """Collects faces and writes them to an ``.npz`` file.

    The archive holds ``labels`` (C,), ``method`` and, with a row for each of F faces, ``source``,
    ``frame`` (number in its source), ``time`` (seconds), ``xyxy`` (F, 4) in pixels, ``face_scores``
    (F,), ``logits`` (F, C), ``probabilities`` (F, C) and ``maps`` (F, h, w, C).

    Args:
        path: the file.
        labels: the C class names.
        method: how the maps are computed.
        overwrite: whether a file that exists may be replaced.

    Raises:
        OutputError: the file exists, or its name ends in something else.
    """

    def __init__(
        self, path: Path, labels: tuple[str, ...], method: str, *, overwrite: bool = False
    ) -> None:
        if path.suffix != ".npz":
            raise OutputError(f"{path}: raw maps are written as .npz")
        if path.exists() and not overwrite:
            raise OutputError(f"{path}: exists already; --overwrite replaces it")
        self.path = path
        self._labels = labels
        self._method = method
        self._rows: list[dict[str, NDArray[Any]]] = []
        # Of each array where there is no face at all.
        self._shapes: dict[str, tuple[int, ...]] = {
            **dict.fromkeys(("source", "frame", "time", "face_scores"), (0,)),
            "xyxy": (0, 4),
            **dict.fromkeys(("logits", "probabilities"), (0, len(labels))),
            "maps": (0, 1, 1, len(labels)),
        }

    def add(self, frame: Frame, detections: Detections) -> None:
        """Takes the faces of a frame."""
        if len(detections) == 0:
            return
        assert detections.cams is not None
        self._rows.append(
            {
                "source": np.array([frame.source] * len(detections)),
                "frame": np.full(len(detections), frame.index),
                "time": np.full(len(detections), frame.time),
                "xyxy": detections.xyxy,
                "face_scores": detections.face_scores,
                "logits": detections.logits,
                "probabilities": detections.probabilities,
                "maps": detections.cams,
            }
        )

    def write(self) -> None:
        """Writes the file, whole or not at all.

        Raises:
            OutputError: it cannot be written.
        """
        arrays: dict[str, NDArray[Any]] = {
            "labels": np.array(self._labels),
            "method": np.array(self._method),
        }
        for name, shape in self._shapes.items():
            rows = [row[name] for row in self._rows]
            arrays[name] = np.concatenate(rows) if rows else np.zeros(shape, np.float32)
        with replacing(self.path) as temporary:
            np.savez_compressed(temporary, allow_pickle=False, **arrays)
