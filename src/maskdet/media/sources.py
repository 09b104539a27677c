"""Where frames come from: a picture, a folder of pictures, a video file or a camera.

OpenCV decodes pictures and reads cameras; PyAV (FFmpeg) decodes video, because it gives exact
timestamps, applies rotation metadata, and says what is wrong with a file.
"""

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal, Protocol, cast

import cv2
import numpy as np
from imutils.paths import list_images
from numpy.typing import NDArray

from maskdet.annotations import PICTURE_SUFFIXES
from maskdet.errors import SourceError

UInt8Array = NDArray[np.uint8]
Kind = Literal["picture", "pictures", "video", "camera"]

# What a video that reports no frame rate is taken to run at: the commonest rate of such files.
FALLBACK_FRAME_RATE = 25.0

# FFmpeg plays any text file as terminal art, through one of these.
_TEXT_CODECS = frozenset({"ansi", "bintext", "idf", "xbin"})

_JPEG_START, _JPEG_SCAN, _JPEG_END = b"\xff\xd8", b"\xff\xda", b"\xff\xd9"


@dataclass(frozen=True)
class Frame:
    """One picture on its way through the program.

    Attributes:
        source: what the records call it: the picture's path, the video's path, the camera.
        index: number within its source, from 0.
        time: seconds since the source's first frame; 0 for pictures.
        image: (H, W, 3) uint8, BGR.
    """

    source: str
    index: int
    time: float
    image: UInt8Array


class Source(Protocol):
    """An iterator of frames that knows what it is.

    Attributes:
        kind: pictures have files of their own as output, video and cameras one video.
        name: what the source is called in messages.
        frame_rate: frames a second, ``None`` for pictures.
        failures: one line for each picture that could not be read and was passed over.
    """

    kind: Kind
    name: str
    frame_rate: float | None
    failures: list[str]

    @property
    def frame_count(self) -> int | None:
        """How many frames are to come, ``None`` where nobody knows."""
        ...

    @property
    def is_moving(self) -> bool:
        """Whether the frames follow one another in time."""
        ...

    def __iter__(self) -> Iterator[Frame]:
        """Reads the frames; releases the device or file when the iteration ends."""
        ...


def read_picture(path: Path) -> UInt8Array:
    """Decodes a picture file, turned upright by its EXIF orientation.

    Returns:
        (H, W, 3) uint8, BGR; grey, 16-bit, palette and transparent pictures are converted.

    Raises:
        SourceError: the file cannot be read, is empty, cut short, or no picture.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file") from None
    except OSError as error:
        raise SourceError(f"{path}: cannot be read ({error.strerror})") from None
    if not data:
        raise SourceError(f"{path}: is empty")
    # OpenCV 4 fills the missing part of a JPEG with grey and says nothing. The end marker cannot
    # occur inside a scan, so a whole file has one after its last scan.
    if data.startswith(_JPEG_START) and data.rfind(_JPEG_END) < data.rfind(_JPEG_SCAN):
        raise SourceError(f"{path}: is cut short (a JPEG without its end)")
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise SourceError(f"{path}: cannot be decoded ({error.err})") from None
    if picture is None:
        raise SourceError(f"{path}: is not a picture, or is damaged")
    return cast("UInt8Array", picture)


@dataclass
class PictureSource:
    """Picture files, one frame each. In a folder a bad one is noted in `failures` and passed over.

    Args:
        paths: the files.
        name: the file or folder the user named.
        kind: a single ``picture`` that cannot be read is an error, not a failure among others.
    """

    paths: list[Path]
    name: str
    kind: Kind
    frame_rate: float | None = None
    failures: list[str] = field(default_factory=list)

    is_moving: ClassVar[bool] = False

    @property
    def frame_count(self) -> int | None:
        """How many pictures there are, bad ones included."""
        return len(self.paths)

    def __iter__(self) -> Iterator[Frame]:
        """Decodes the pictures in order.

        Raises:
            SourceError: a single picture cannot be read, or none of a folder's can.
        """
        for path in self.paths:
            try:
                image = read_picture(path)
            except SourceError as error:
                if self.kind == "picture":
                    raise
                self.failures.append(str(error))
                continue
            yield Frame(str(path), 0, 0.0, image)
        if len(self.failures) == len(self.paths):
            raise SourceError(f"{self.name}: none of its {len(self.paths)} pictures can be read")


class VideoSource:
    """A video file, every frame in order."""

    kind: Kind = "video"
    is_moving = True

    def __init__(self, path: Path) -> None:
        """Opens the file.

        Raises:
            SourceError: the file is no video, or holds no picture stream.
        """
        import av

        self.name = str(path)
        self.failures: list[str] = []
        try:
            self._container = av.open(path, metadata_errors="replace")
        except (av.FFmpegError, OSError) as error:
            reason = getattr(error, "strerror", None) or "unknown format"
            raise SourceError(f"{path}: is not a picture or video ({reason})") from None
        if not self._container.streams.video:
            self._container.close()
            raise SourceError(f"{path}: has no video stream")
        stream = self._container.streams.video[0]
        if stream.codec_context.name in _TEXT_CODECS:
            self._container.close()
            raise SourceError(f"{path}: is not a picture or video (a text file)")
        stream.thread_type = "AUTO"
        rate = stream.average_rate or stream.guessed_rate
        self.frame_rate: float | None = float(rate) if rate else FALLBACK_FRAME_RATE
        self.frame_count: int | None = stream.frames or None

    def __iter__(self) -> Iterator[Frame]:
        """Decodes the frames.

        Raises:
            SourceError: there is not a single frame. A video cut short gives the frames it has.
        """
        import av

        first_time: float | None = None
        index = 0
        with self._container as container:
            try:
                for picture in container.decode(container.streams.video[0]):
                    moment = picture.time
                    if moment is None:
                        moment = index / cast("float", self.frame_rate)
                    if first_time is None:
                        first_time = moment
                    yield Frame(self.name, index, moment - first_time, _to_bgr(picture))
                    index += 1
            except av.FFmpegError as error:
                if index:
                    self.failures.append(
                        f"{self.name}: is damaged after frame {index - 1} ({error.strerror})"
                    )
        if index == 0:
            raise SourceError(f"{self.name}: has no frames that can be decoded")


def _to_bgr(picture: "av.VideoFrame") -> UInt8Array:  # type: ignore[name-defined]  # noqa: F821
    """Converts a decoded frame to upright (H, W, 3) BGR."""
    if picture.format.name == "yuv420p" and picture.width % 2 == 0 and picture.height % 2 == 0:
        # Same colours as FFmpeg's own conversion, in half its time.
        image = cv2.cvtColor(picture.to_ndarray(), cv2.COLOR_YUV2BGR_I420)
    else:
        image = picture.to_ndarray(format="bgr24")
    # The display matrix turns counter-clockwise by `rotation` degrees.
    quarter_turns = round(picture.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, quarter_turns)) if quarter_turns else image


class CameraSource:
    """A camera of this machine."""

    kind: Kind = "camera"
    is_moving = True
    frame_count: int | None = None

    def __init__(self, number: int) -> None:
        """Opens the camera.

        Raises:
            SourceError: there is no such camera, or another program holds it.
        """
        self.name = f"camera {number}"
        self.failures: list[str] = []
        self._capture = cv2.VideoCapture(number)
        if not self._capture.isOpened():
            raise SourceError(
                f"camera {number}: cannot be opened; is one connected, and not in use elsewhere?"
            )
        self.frame_rate: float | None = self._capture.get(cv2.CAP_PROP_FPS) or FALLBACK_FRAME_RATE

    def __iter__(self) -> Iterator[Frame]:
        """Reads frames until the camera stops giving them.

        Raises:
            SourceError: the camera gives not a single frame.
        """
        start = time.monotonic()
        try:
            for index in itertools.count():
                read, image = self._capture.read()
                if not read:
                    if index == 0:
                        raise SourceError(f"{self.name}: gives no pictures")
                    self.failures.append(f"{self.name}: stopped after frame {index - 1}")
                    return
                yield Frame(self.name, index, time.monotonic() - start, image)
        finally:
            self._capture.release()


def open_source(text: str) -> Source:
    """Recognises what the user named and opens it.

    Args:
        text: a camera number, or the path of a picture, a folder of pictures or a video.

    Raises:
        SourceError: it is not there, or nothing maskdet can read.
    """
    if text.isdecimal() and not Path(text).exists():
        return CameraSource(int(text))
    path = Path(text)
    if path.is_dir():
        # `list_images` walks into subfolders; a plain folder means the pictures in it.
        pictures = sorted(Path(name) for name in list_images(str(path)))
        pictures = [picture for picture in pictures if picture.parent == path]
        if not pictures:
            raise SourceError(f"{path}: has no pictures ({', '.join(sorted(PICTURE_SUFFIXES))})")
        return PictureSource(pictures, str(path), "pictures")
    if not path.exists():
        raise SourceError(f"{path}: no such file or folder")
    if path.suffix.lower() in PICTURE_SUFFIXES or cv2.haveImageReader(str(path)):
        return PictureSource([path], str(path), "picture")
    if path.stat().st_size == 0:
        raise SourceError(f"{path}: is empty")
    return VideoSource(path)
