"""Live pictures, as they come, to one viewer: as MJPEG, or of several cameras in one stream."""

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from maskdet.serve.hub import Hub
from maskdet.serve.showing.live import LivePicture
from maskdet.serve.web.streaming.pacing import Pacing
from maskdet.serve.web.streaming.pulse import Pulse

BOUNDARY = "maskdet-picture"
# Widths are taken in such steps, so that viewers share what is encoded. Pixels.
_STEP, _NARROWEST = 80, 160
# Whether a stream may go on is looked at so often, be there pictures or not. Seconds.
_LOOK = 1.0
# Encoding pictures; the cameras' own threads come first.
_ENCODERS = 2

# What a part of a stream is made of: the camera's name, its picture, the JPEG.
Framing = Callable[[str, LivePicture, bytes], bytes]


class Streams:
    """Makes streams of a hub's pictures.

    Args:
        hub: where they come from.
        pulse: tells when there are new ones.
    """

    def __init__(self, hub: Hub, pulse: Pulse) -> None:
        self._hub = hub
        self._pulse = pulse
        self._encoders = ThreadPoolExecutor(_ENCODERS, thread_name_prefix="page-jpeg")

    async def pictures(
        self,
        names: Sequence[str],
        width: int | None,
        rate: float,
        framing: Framing,
        may_go_on: Callable[[], bool],
    ) -> AsyncIterator[bytes]:
        """Yields the newest pictures of cameras, as often as whoever takes them can.

        Args:
            names: of the cameras.
            width: that pictures are to have at most, in pixels; ``None`` for as they are.
            rate: pictures a second of each camera, at most.
            framing: makes a part of the stream.
            may_go_on: asked every second at least.
        """
        pacing = Pacing(rate)
        numbers = dict.fromkeys(names, 0)
        loop = asyncio.get_running_loop()
        with self._pulse.watched() as changed:
            while may_go_on():
                changed.clear()
                begun, sending = loop.time(), 0.0
                for name in numbers:
                    picture = self._hub.picture(name, numbers[name])
                    if picture is None:
                        continue
                    numbers[name] = picture.number
                    data = await self.encoded(picture, width, pacing)
                    part = framing(name, picture, data)
                    before = loop.time()
                    # Comes back when the connection has taken it.
                    yield part
                    sending += loop.time() - before
                if sending:
                    pacing.sent(sending)
                    await asyncio.sleep(max(0.0, begun + pacing.interval - loop.time()))
                else:
                    await _set_within(changed, _LOOK)

    async def encoded(
        self, picture: LivePicture, width: int | None, pacing: Pacing | None = None
    ) -> bytes:
        """Returns a picture as a JPEG, in a thread.

        Args:
            picture: it.
            width: at most, in pixels; ``None`` for its own.
            pacing: of the viewer; ``None`` for the best.
        """
        full = picture.image.shape[1]
        wanted = float(min(width or full, full))
        quality = 85
        if pacing is not None:
            level = pacing.level
            wanted, quality = wanted * level.size, level.quality
        stepped = max(_NARROWEST, round(wanted / _STEP) * _STEP)
        size = full if wanted == full else min(full, stepped)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._encoders, picture.jpeg, size, quality)


def mjpeg_part(_: str, __: LivePicture, data: bytes) -> bytes:
    """Returns a part of a stream as cameras send it (``multipart/x-mixed-replace``)."""
    head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
    return head.encode() + data + b"\r\n"


def page_part(name: str, picture: LivePicture, data: bytes) -> bytes:
    """Returns a part of the page's own stream: two lengths, a line of JSON, a JPEG."""
    height, width = picture.image.shape[:2]
    line = json.dumps(
        {
            "camera": name,
            "frame": picture.number,
            "time": picture.time.isoformat(timespec="milliseconds"),
            "width": width,
            "height": height,
            "faces": picture.detections.to_records(),
        }
    ).encode()
    return struct.pack(">II", len(line), len(data)) + line + data


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
