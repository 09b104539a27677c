"""Face crops in one folder a label: the start of a training set of one's own."""

from pathlib import Path

from maskdet.boxes import cut, expand_boxes
from maskdet.detections import Detections
from maskdet.media.files import shortened
from maskdet.media.frames import Frame, Source, UInt8Array
from maskdet.media.inputs.naming import file_stem
from maskdet.media.picture_files import write_picture

# A followed face is saved once in so many seconds under the same label: neighbouring frames teach
# nothing new.
SECONDS_BETWEEN = 1.0
# Room for three numbers and the suffix. Bytes.
_LONGEST_STEM = 220


class CropWriter:
    """Writes faces as ``<folder>/<label>/<source>-<frame>-<face>.jpg``.

    Args:
        folder: where the label folders go.
        margin: share of the box added on every side; see `expand_boxes`.

    Attributes:
        count: faces written.
    """

    def __init__(self, folder: Path, margin: float) -> None:
        self.folder = folder
        self.count = 0
        self._margin = margin
        self._last: dict[tuple[str, int, str], float] = {}

    def write(self, source: Source, frame: Frame, image: UInt8Array, faces: Detections) -> None:
        """Saves the faces of a frame.

        Args:
            source: the frame's source.
            frame: names the files.
            image: (H, W, 3) uint8 BGR, nothing drawn on it.
            faces: what was found in it.

        Raises:
            OutputError: a crop cannot be written.
        """
        own = file_stem(source) if source.is_moving else Path(frame.source).stem.replace(" ", "-")
        stem = shortened(own, _LONGEST_STEM)
        boxes = expand_boxes(faces.xyxy, self._margin)
        numbers = range(len(faces)) if faces.tracks is None else faces.tracks.tolist()
        for box, label, number in zip(boxes, faces.predicted_labels, numbers, strict=True):
            name = f"{stem}-{number}.jpg"
            if source.is_moving:
                name = f"{stem}-{frame.index:06}-{number}.jpg"
                if faces.tracks is not None and not self._is_due(
                    (source.name, number, label), frame.time
                ):
                    continue
            path = self.folder / label / name
            count = 1
            while path.exists():
                count += 1
                path = path.with_name(f"{Path(name).stem}-{count}.jpg")
            write_picture(path, cut(image, box))
            self.count += 1

    def _is_due(self, key: tuple[str, int, str], time: float) -> bool:
        # The clock of a recording may be set back.
        if abs(time - self._last.get(key, -SECONDS_BETWEEN)) < SECONDS_BETWEEN:
            return False
        self._last[key] = time
        if len(self._last) > 1000:
            self._last = {k: t for k, t in self._last.items() if abs(time - t) < SECONDS_BETWEEN}
        return True
