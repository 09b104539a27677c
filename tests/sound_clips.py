"""Clips with sound for the tests: a white frame and a tone at the same moment."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

RATE, SAMPLES, SECONDS, MARK = 10, 16_000, 4, 2
# Samples that a packet of the uncompressed kinds holds.
_CHUNK = 1024


def write_clip(
    path: Path,
    sound: str = "aac",
    *,
    begin: float = 0.0,
    video: str = "mpeg4",
    seconds: int = SECONDS,
    title: str = "",
) -> None:
    """Writes a clip of 64x48 pixels.

    Args:
        path: its suffix chooses the format.
        sound: FFmpeg's name of the sound's encoder.
        begin: time of the first frame and sample by the file's clock, in seconds.
        video: FFmpeg's name of the video's encoder.
        seconds: how long the sound is; the frames take `SECONDS`.
        title: what the file says it is called.
    """
    with av.open(path, "w") as file:
        if title:
            file.metadata["title"] = title
        pictures: Any = file.add_stream(video, rate=RATE)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        tone: Any = file.add_stream(sound, rate=SAMPLES)
        tone.layout = "mono"
        packets = []
        for index in range(SECONDS * RATE):
            level = 255 if index == MARK * RATE else 16
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), level, np.uint8), "rgb24")
            frame.pts, frame.time_base = index + round(begin * RATE), Fraction(1, RATE)
            packets += pictures.encode(frame)
        packets += pictures.encode(None)
        times = np.arange(seconds * SAMPLES) / SAMPLES
        heard = (times >= MARK) & (times < MARK + 0.2)
        wave = np.where(heard, 20_000 * np.sin(2 * np.pi * 1000 * times), 0).astype(np.int16)
        shaped = av.AudioResampler(tone.format, "mono", SAMPLES)
        size = tone.codec_context.frame_size or _CHUNK
        for start in range(0, len(wave), size):
            piece = av.AudioFrame.from_ndarray(wave[None, start : start + size], "s16", "mono")
            piece.sample_rate = SAMPLES
            piece.pts, piece.time_base = start + round(begin * SAMPLES), Fraction(1, SAMPLES)
            for part in shaped.resample(piece):
                packets += tone.encode(part)
        packets += tone.encode(None)
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            file.mux(packet)


def marks(path: Path) -> tuple[float, float | None]:
    """Returns when a clip turns white and when its tone begins, in seconds."""
    with av.open(path) as file:
        bright = (f.time for f in file.decode(video=0) if f.to_ndarray(format="gray").mean() > 150)
        white = next(bright)
        assert white is not None
        if not file.streams.audio:
            return white, None
    with av.open(path) as file:
        for piece in file.decode(audio=0):
            level = np.abs(piece.to_ndarray().astype(float)).ravel()
            loud = level > (0.1 if "flt" in piece.format.name else 3000)
            if loud.any():
                assert piece.time is not None
                return white, piece.time + float(np.argmax(loud)) / piece.sample_rate
    return white, None


def length(path: Path) -> float:
    """Returns how long the sound of a clip is, in seconds."""
    with av.open(path) as file:
        ends = [
            float((packet.pts + (packet.duration or 0)) * packet.time_base)
            for packet in file.demux(file.streams.audio[0])
            if packet.pts is not None and packet.time_base is not None
        ]
    return max(ends)
