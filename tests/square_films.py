"""Small films of moving squares, networks that find them, and workers of this very process."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np

from maskdet.archive.study import Study
from maskdet.archive.tasks import Failure, Outcome, Task
from maskdet.archive.worker import Worker
from maskdet.detections import FloatArray
from maskdet.media.frames import UInt8Array
from maskdet.vision.pipeline import MaskDetector

RATE = 10
WIDTH, HEIGHT, SIDE = 96, 64, 24


def write_film(
    path: Path, frames: int, *, gop: int = 10, codec: str = "libx264", b_frames: int = 2,
    start: str | None = None, moments: Callable[[int], int] = lambda index: index,
    noise: bool = False,
) -> Path:  # fmt: skip
    """Writes a film of two squares, a bright and a dim one, that cross the picture now and then.

    Args:
        path: of the file.
        frames: how many, ten a second.
        gop: frames from key frame to key frame.
        codec: FFmpeg's name.
        b_frames: of them between two others, coded after both.
        start: when it was begun, in ISO 8601.
        moments: number of a frame to the moment it is shown, in tenths of a second.
        noise: whether it is noise instead, of which a frame takes thousands of bytes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        if start is not None:
            container.metadata["creation_time"] = start
        options = {"sc_threshold": "0", "bf": str(b_frames)} if codec == "libx264" else {}
        stream = container.add_stream(codec, rate=RATE, options=options)
        stream.width, stream.height, stream.gop_size = WIDTH, HEIGHT, gop
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 8_000_000 if noise else 400_000
        draw = np.random.default_rng(0)
        for index in range(frames):
            image = np.full((HEIGHT, WIDTH, 3), 40, np.uint8)
            # Each stays for 70 frames, away for 20: whoever comes back is another.
            for row, level, late in ((4, 240, 0), (36, 150, 45)):
                place = (index + late) % 90
                if place < 70:
                    image[row : row + SIDE, place : place + SIDE] = level
            if noise:
                image = draw.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts = moments(index)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


class SquareFinder:
    """Finds the squares, as a face detector finds faces."""

    default_confidence = 0.5
    workers = 1

    def detect(self, frame_bgr: UInt8Array) -> tuple[FloatArray, FloatArray]:
        """Returns the boxes of what is bright, and scores."""
        boxes = []
        for top in (4, 36):
            columns = np.flatnonzero(frame_bgr[top + SIDE // 2, :, 0] > 100)
            if len(columns) >= SIDE // 2:
                boxes.append([columns[0], top, columns[-1] + 1, top + SIDE])
        return np.array(boxes, np.float32).reshape(-1, 4), np.full(len(boxes), 0.9, np.float32)


class LevelReader:
    """Calls bright squares masked, as a classifier calls faces."""

    labels = ("with_mask", "without_mask")
    maps = False

    def classify(
        self, frame_bgr: UInt8Array, xyxy: FloatArray
    ) -> tuple[FloatArray, FloatArray, None]:
        """Returns probabilities and logits by the level in the middle of each box."""
        middles = (xyxy[:, :2] + xyxy[:, 2:]).astype(int) // 2
        bright = np.array([frame_bgr[y, x, 0] > 200 for x, y in middles])
        share = np.where(bright, 0.95, 0.1).astype(np.float32)
        probabilities = np.stack([share, 1 - share], axis=1)
        return probabilities, np.log(probabilities), None


def square_detector() -> MaskDetector:
    """Returns both."""
    return MaskDetector(SquareFinder(), LevelReader())


class SquareWorker(Worker):
    """A worker with these networks."""

    def begin(self) -> None:
        """Needs no files."""

    def _networks(self) -> MaskDetector:
        return square_detector()


class OwnCrew:
    """Works in this process, a task when it is waited for.

    Args:
        size: tasks that are taken at a time.
        root: folder of the study.
        study: what is done.

    Attributes:
        done: all tasks, in order.
        fail: what becomes of a task instead of its being done, if anything.
        most: so many tasks are done until this process is killed, so to say.
    """

    def __init__(self, size: int, root: str, study: Study) -> None:
        self.size = size
        self.worker = SquareWorker(root, study)
        self.waiting: list[Task] = []
        self.done: list[Task] = []
        self.fail: Callable[[Task], Failure | None] = lambda _: None
        self.most: int | None = None

    @property
    def idle(self) -> int:
        """How many tasks are taken."""
        return self.size - len(self.waiting)

    def submit(self, task: Task) -> None:
        """Takes a task."""
        self.waiting.append(task)

    def wait(self, _: float) -> list[tuple[Task, Outcome | Failure]]:
        """Does the oldest."""
        if self.most is not None and len(self.done) >= self.most:
            raise Killed
        task = self.waiting.pop(0)
        self.done.append(task)
        failure = self.fail(task)
        return [(task, failure or self.worker.do(task))]


class Killed(BaseException):
    """The process has gone."""


@contextmanager
def no_bar() -> Iterator[Callable[[float, str], None]]:
    """Shows nothing."""
    yield lambda _, __: None
