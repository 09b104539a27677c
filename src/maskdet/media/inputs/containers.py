"""What PyAV (FFmpeg) opens: video files and network streams, and the pictures decoded of them.

PyAV gives exact timestamps, applies rotation metadata, limits the time a server may take, and says
what is wrong with a file; decoding costs the same as OpenCV's.
"""

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

import cv2
import numpy as np

from maskdet.addresses import MARK, public_name
from maskdet.errors import SourceError, TooLargeError, UnreachableError
from maskdet.media.frames import UInt8Array, usable_rate
from maskdet.media.inputs.decoding import MAX_PIXELS, refuse_large
from maskdet.media.inputs.formats import is_still_brand

if TYPE_CHECKING:
    import av
    from av.container import InputContainer
    from av.video.stream import VideoStream

    from maskdet.media.inputs.pipes import Input

# FFmpeg plays any text file as terminal art, through one of these.
_TEXT_CODECS = frozenset({"ansi", "bintext", "idf", "xbin"})
# Frames decoded ahead by FFmpeg's threads cost memory; two threads keep up on any machine.
_DECODER_THREADS = 2
_PADDING = 1 << 16  # pixels, of small pictures
# How much wider or higher than square pixels may be; headers that say more are wrong.
_MOST_STRETCHED = 8.0


def open_any(
    where: "str | Input", timeout: float | None = None, form: str | None = None
) -> "InputContainer":
    """Opens with FFmpeg whatever it opens, in every version of PyAV.

    Args:
        where: path, URL, or what gives bytes.
        timeout: seconds a server may take to answer, and later to send the next packet.
        form: FFmpeg's name of the format; ``None`` for what it looks like.

    Raises:
        av.FFmpegError: it cannot be opened.
        OSError: likewise.
    """
    import av

    # A title that is not UTF-8 is nobody's business here. PyAV refuses the file unless told so;
    # from version 19 on it does not, and takes the word no more.
    old = int(av.__version__.split(".", 1)[0]) < 19
    lenient: dict[str, Any] = {"metadata_errors": "replace"} if old else {}
    # RTSP over TCP loses no packets and passes through firewalls.
    is_rtsp = isinstance(where, str) and where.lower().startswith("rtsp")
    options = {"rtsp_transport": "tcp"} if is_rtsp else {}
    # Not as options of the streams, too: before PyAV 17.1 the process ends where a stream is only
    # found in reading, as in MPEG programs.
    container: InputContainer = av.open(
        where, mode="r", format=form, timeout=timeout, container_options=options, **lenient
    )
    return container


def open_container(
    where: str, timeout: float | None = None, max_pixels: int = MAX_PIXELS
) -> "InputContainer":
    """Opens a video file or stream and checks that there is something to see in it.

    Args:
        where: path or URL.
        timeout: seconds a server may take to answer, and later to send the next packet.
        max_pixels: its frames may have no more.

    Raises:
        UnreachableError: it cannot be opened now, and may be later.
        SourceError: it holds no video, or too large a one.
    """
    import av

    name, start = public_name(where), time.monotonic()
    try:
        container = open_any(where, timeout)
    except (av.FFmpegError, OSError) as error:
        # An RTSP server that answers and then sends nothing ends as "invalid data" at the limit.
        if timeout is not None and time.monotonic() - start >= timeout:
            raise UnreachableError(f"{name}: did not answer within {timeout:g} seconds") from None
        reason = getattr(error, "strerror", None) or "unknown format"
        fault = SourceError if isinstance(error, av.InvalidDataError) else UnreachableError
        here = MARK not in where and not isinstance(error, OSError)
        what = "is not a picture or video, or is damaged" if here else "cannot be opened"
        raise fault(f"{name}: {what} ({reason})") from None
    return checked(container, name, max_pixels)


def checked(container: "InputContainer", name: str, max_pixels: int) -> "InputContainer":
    """Makes sure that there is something to see in what was opened, and closes it otherwise.

    Args:
        container: the video.
        name: what messages call it.
        max_pixels: its frames may have no more.

    Raises:
        SourceError: it holds no video, or too large a one.
    """
    streams = container.streams.video
    if holds_still(container):
        container.close()
        raise SourceError(f"{name}: is HEIC or AVIF, which is read from files alone; save it first")
    if not streams or streams[0].codec_context.name in _TEXT_CODECS:
        container.close()
        what = "is not a picture or video (a text file)" if streams else "has no video stream"
        raise SourceError(f"{name}: {what}")
    decoder = streams[0].codec_context
    try:
        refuse_large((decoder.width, decoder.height), name, max_pixels)
    except TooLargeError:
        container.close()
        raise
    # What a stream grows to later is not in its header. FFmpeg counts the padding of its buffers.
    decoder.options = {"max_pixels": str(max_pixels + max_pixels // 16 + _PADDING)}
    streams[0].thread_type = "AUTO"
    decoder.thread_count = _DECODER_THREADS
    return container


def holds_still(container: "InputContainer") -> bool:
    """Tells whether a file is a picture in a video's container, of which FFmpeg gives one tile."""
    return is_still_brand(container.metadata.get("major_brand", ""))


def frame_rate_of(container: "InputContainer") -> float:
    """Returns a video's frames a second, 25 where it does not say."""
    stream = container.streams.video[0]
    rate = stream.average_rate or stream.guessed_rate
    return usable_rate(float(rate) if rate else None)


def decode(
    container: "InputContainer",
    damaged: Callable[[], None] = lambda: None,
    wanted: Callable[[], bool] = lambda: True,
) -> Iterator[tuple[float | None, UInt8Array]]:
    """Decodes a video to the end.

    Args:
        container: the video.
        damaged: called for each part that cannot be decoded; what follows it is.
        wanted: asked for each frame as it comes; those that are not cost their decoding alone.

    Yields:
        Seconds as the file counts them, ``None`` where it does not; (H, W, 3) uint8 BGR, upright
        and with square pixels, as players show it.

    Raises:
        UnreachableError: the server fell silent; the message is the reason.
        SourceError: there is no reading on; likewise.
    """
    import av

    stream = container.streams.video[0]
    try:
        for packet in container.demux(stream):
            try:
                pictures = packet.decode()
            except av.InvalidDataError:
                damaged()
                continue
            for picture in pictures:
                if not wanted():
                    continue
                yield picture.time, _turned(_squared(_to_bgr(picture), stream), picture)
    except av.ExitError:
        raise UnreachableError("sends nothing any more") from None
    except (av.FFmpegError, OSError) as error:
        raise SourceError(f"cannot be read on ({error.strerror})") from None


def _to_bgr(picture: "av.VideoFrame") -> UInt8Array:
    if picture.format.name == "yuv420p" and picture.width % 2 == 0 and picture.height % 2 == 0:
        # Same colours as FFmpeg's own conversion, in half its time.
        image = cast("UInt8Array", cv2.cvtColor(picture.to_ndarray(), cv2.COLOR_YUV2BGR_I420))
    else:
        image = cast("UInt8Array", picture.to_ndarray(format="bgr24"))
    return image


def _squared(image: UInt8Array, stream: "VideoStream") -> UInt8Array:
    """Stretches a frame whose pixels are not square: what is narrow is widened, nothing shrinks."""
    aspect = float(stream.sample_aspect_ratio or 1)
    # Pixels of GIF have one shape in every viewer, whatever the file says.
    if stream.codec_context.name == "gif" or not 1 / _MOST_STRETCHED <= aspect <= _MOST_STRETCHED:
        return image
    height, width = image.shape[:2]
    size = (round(width * max(1, aspect)), round(height * max(1, 1 / aspect)))
    return image if size == (width, height) else cast("UInt8Array", cv2.resize(image, size))


def _turned(image: UInt8Array, picture: "av.VideoFrame") -> UInt8Array:
    # The display matrix turns counter-clockwise by `rotation` degrees.
    quarter_turns = round(picture.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, quarter_turns)) if quarter_turns else image
