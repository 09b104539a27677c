"""Cameras and network streams as they are opened, read to where they break, and closed."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

import cv2

from maskdet.errors import SourceError
from maskdet.media.frames import UInt8Array, usable_rate
from maskdet.media.inputs.containers import decode, frame_rate_of, open_container
from maskdet.media.inputs.decoding import MAX_PIXELS
from maskdet.pace import Rate

if TYPE_CHECKING:
    from av.container import InputContainer

# A camera may give this many empty frames in a row before it counts as gone.
EMPTY_FRAMES = 10
# So many parts of a stream in a row may be damaged before it counts as gone.
DAMAGED_PARTS = 250
# Frames may come before their time by this share of the time between two; see `Rate`.
_EARLY = 0.1
# A second decoding thread holds each frame back until the next one comes. Streams of so many
# pixels, Full HD, do without: one thread decodes them faster than cameras send them.
_ONE_THREAD = 1920 * 1088


class Feed(Protocol):
    """A device or stream that has been opened; iterates over (H, W, 3) uint8 BGR pictures.

    Attributes:
        frame_rate: frames a second it says it gives.
        has_sound: whether it carries sound.
    """

    frame_rate: float
    has_sound: bool

    def __iter__(self) -> Iterator[UInt8Array]:
        """Reads pictures until the feed ends.

        Raises:
            SourceError: it broke; the message is the reason alone.
        """
        ...

    def close(self) -> None:
        """Releases the device or connection."""
        ...


class CameraFeed:
    """A camera of this machine.

    Args:
        device: its number or device path.
        rate: frames a second that are wanted; ``None`` for all.

    Raises:
        SourceError: there is no such camera, or another program holds it.
    """

    has_sound = False

    def __init__(self, device: int | str, rate: float | None = None) -> None:
        self._rate = None if rate is None else Rate(rate, _EARLY)
        self._capture = cv2.VideoCapture(device)
        if not self._capture.isOpened():
            raise SourceError("cannot be opened; is one connected, and not in use elsewhere?")
        self.frame_rate: float = usable_rate(self._capture.get(cv2.CAP_PROP_FPS))

    def __iter__(self) -> Iterator[UInt8Array]:
        """Reads frames; a few empty ones are passed over, many are the end."""
        empty = 0
        while empty < EMPTY_FRAMES:
            if self._rate is None:
                read, image = self._capture.read()
            elif not self._capture.grab():
                read, image = False, None
            elif self._rate.takes(time.monotonic()):
                read, image = self._capture.retrieve()
            else:
                # Not decoded, for nobody wants it.
                continue
            if read and image is not None and image.size:
                empty = 0
                yield image
            else:
                empty += 1
        raise SourceError("gives empty pictures")

    def close(self) -> None:
        """Releases the camera."""
        self._capture.release()


class StreamFeed:
    """A network stream.

    Args:
        url: its address.
        timeout: seconds the server may be silent.
        container: the stream, if it has been opened already.
        max_pixels: its frames may have no more.
        rate: frames a second that are wanted; ``None`` for all.

    Raises:
        SourceError: the server does not answer, or sends no video.
    """

    def __init__(
        self,
        url: str,
        timeout: float,
        container: "InputContainer | None" = None,
        *,
        max_pixels: int = MAX_PIXELS,
        rate: float | None = None,
    ) -> None:
        self._container = container or open_container(url, timeout, max_pixels)
        self._rate = Rate(rate, _EARLY)
        decoder = self._container.streams.video[0].codec_context
        if decoder.width * decoder.height <= _ONE_THREAD:
            decoder.thread_count = 1
        self.frame_rate = frame_rate_of(self._container)
        self.has_sound = bool(self._container.streams.audio)

    def __iter__(self) -> Iterator[UInt8Array]:
        """Decodes frames as they arrive; a few damaged parts are passed over, many are the end."""
        damaged = 0

        def count_damaged() -> None:
            nonlocal damaged
            damaged += 1
            if damaged == DAMAGED_PARTS:
                raise SourceError("sends nothing that can be decoded")

        def wanted() -> bool:
            nonlocal damaged
            damaged = 0
            return self._rate.takes(time.monotonic())

        for _, image in decode(self._container, count_damaged, wanted):
            yield image

    def close(self) -> None:
        """Closes the connection."""
        self._container.close()
