"""How videos are encoded, by the format of their file."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from maskdet.errors import OutputError


class Codec(NamedTuple):
    """How a video is encoded.

    Attributes:
        name: FFmpeg's name of the encoder.
        options: its options.
        tag: four letters by which players know it; ``None`` for the usual ones.
        ticks: moments in a frame's time at which the next may be shown.
    """

    name: str
    options: dict[str, str]
    tag: str | None = None
    ticks: int = 1


# H.264 plays in every browser. "ultrafast" costs a third of "superfast" in time and memory, for
# files twice as large. AVI holds MPEG-4 under the XVID tag, as players of that format expect; its
# quality 4 (of 1 to 31) is given in units of 118 (FF_QP2LAMBDA).
_H264 = Codec("libx264", {"preset": "ultrafast", "crf": "24", "forced-idr": "1"}, ticks=10)
_XVID = Codec("mpeg4", {"flags": "+qscale", "global_quality": "472"}, "XVID")
# FFmpeg's own MPEG-4 encoder is in every build of it; libx264 is not.
_MPEG4 = _XVID._replace(tag=None)
# In the order of preference.
CODECS: dict[str, tuple[Codec, ...]] = {
    ".mp4": (_H264, _MPEG4),
    ".mov": (_H264, _MPEG4),
    ".mkv": (_H264, _MPEG4),
    # AVI has frames of one length alone; it repeats one where there is a gap.
    ".avi": (_XVID, _H264._replace(ticks=1)),
}
WRITABLE_VIDEOS = frozenset(CODECS)


def usable_codec(
    path: Path, width: int, height: int, rate: Fraction, log: Callable[[str], None]
) -> Codec:
    """Returns the first codec of a file's format that opens.

    Args:
        path: the file; its suffix is the format.
        width: of the frames, in pixels.
        height: of the frames, in pixels.
        rate: frames a second.
        log: told when the usual codec cannot be had and which stands in for it.

    Raises:
        OutputError: none does.
    """
    import av

    choices = CODECS[path.suffix.lower()]
    for choice in choices:
        try:
            probe = av.CodecContext.create(choice.name, "w")
            assert isinstance(probe, av.VideoCodecContext)
            # 4:2:0 chroma needs even sides.
            probe.width, probe.height = width + width % 2, height + height % 2
            probe.pix_fmt, probe.time_base = "yuv420p", 1 / rate
            probe.thread_count = 1
            probe.open()
        # A codec that this FFmpeg was built without is a ValueError.
        except (av.FFmpegError, ValueError):
            continue
        if choice is not choices[0]:
            log(f"{path}: {choices[0].name} cannot be opened, using {choice.name}")
        return choice
    names = " nor ".join(choice.name for choice in choices)
    raise OutputError(f"{path}: neither {names} can encode it here")
