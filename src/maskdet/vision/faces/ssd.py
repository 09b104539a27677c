"""The SSDs that maskdet trains and exports, as a face detector."""

from pathlib import Path

import numpy as np

from maskdet.errors import ModelError
from maskdet.vision.faces.detector import Faces, inside_frame
from maskdet.vision.faces.heads import SsdHeads, squash
from maskdet.vision.faces.prior_boxes import PriorBoxSpec
from maskdet.vision.preprocessing import UInt8Array
from maskdet.vision.runtime import Network


class SsdFaceDetector:
    """One of `maskdet.train.faces.networks.registry`, exported, on LiteRT.

    Attributes:
        size: side of the network's input in pixels.

    Args:
        path: the ``.tflite`` file.
        spec: layout of the network's prior boxes.
        nms_threshold: overlap from which on the weaker of two boxes is dropped.
        box_voting: see `SsdHeads`.
        default_confidence: see `FaceDetector`.
        confidence: score from which on a box is a face; None takes the default.
        face_size: side in pixels of the square the frame is squashed to. Twice the side finds
            faces half as large, in four times the time. Taken to the nearest the network can do.
        multiple_of: what its sides have to be multiples of.
        halve: whether it was trained on frames that were averaged down, see `squash`.
        threads: CPU threads for one frame.
        lanes: frames worked on at a time.
        precision: of the file, for whoever asks.

    Raises:
        ModelError: the file is missing, damaged, or not such a network.
    """

    def __init__(
        self,
        path: Path,
        *,
        spec: PriorBoxSpec,
        nms_threshold: float,
        box_voting: bool,
        default_confidence: float,
        confidence: float | None,
        face_size: int,
        multiple_of: int = 1,
        halve: bool = False,
        threads: int,
        lanes: int = 1,
        precision: str | None = None,
    ) -> None:
        self.precision = precision
        self.default_confidence = default_confidence
        self.workers = lanes
        self.confidence = default_confidence if confidence is None else confidence
        self._halve = halve
        # Half a step rounds up: 600 becomes 608 where 16 is wanted.
        self.size = max(1, int(face_size / multiple_of + 0.5)) * multiple_of
        shape = (1, self.size, self.size, 3)
        self._network = Network(path, input_shape=shape, threads=threads, lanes=lanes)
        maps = range(len(spec.steps))
        expected = {f"{kind}_{index}" for kind in ("loc", "conf") for index in maps}
        if self._network.output_names != expected:
            raise ModelError(f"{path}: is not an SSD with {len(maps)} pairs of head maps")
        heads = self._network.run(np.zeros(shape, np.uint8))
        if any(head.ndim != 4 for head in heads.values()):
            raise ModelError(f"{path}: is not an SSD, its head maps are not maps")
        shapes = [heads[f"loc_{index}"].shape[1:3] for index in maps]
        self._heads = SsdHeads(spec, shapes, nms_threshold=nms_threshold, box_voting=box_voting)
        priors = len(self._heads.priors)
        for kind, what, each in (("loc", "offsets", 4), ("conf", "scores", 2)):
            found = sum(heads[f"{kind}_{index}"].size for index in maps)
            if found != each * priors:
                raise ModelError(
                    f"{path}: has {found} {what} for {priors} prior boxes; its card describes "
                    "another network"
                )

    def detect(self, frame_bgr: UInt8Array) -> Faces:
        """Finds the faces of a frame; see `FaceDetector.detect`."""
        height, width = frame_bgr.shape[:2]
        squashed = squash(frame_bgr, self.size, halve=self._halve)
        heads = self._network.run(squashed[np.newaxis])
        boxes, scores = self._heads.boxes(heads, self.confidence)
        scale = np.array([width, height, width, height], np.float32) / np.float32(self.size)
        return inside_frame(boxes * scale, scores, width, height)
