"""The file that people get of a recording: its index in front, its source's sound beside it."""

import errno
import heapq
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskdet.errors import OutputError
from maskdet.media.files import beside
from maskdet.media.inputs.containers import open_any
from maskdet.media.sound import Sound, SoundError

if TYPE_CHECKING:
    import av
    from av.container import InputContainer, OutputContainer

# Formats that are recorded in fragments, each of which plays by itself: after a power cut the file
# holds all but the last seconds. Players that seek, and some that fetch, want one index in front.
FRAGMENTED = frozenset({".mov", ".mp4"})
# What a disk says that takes no more, whatever is written.
_DISK_ERRORS = frozenset({errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENOSPC, errno.EROFS})


def finish(
    recorded: Path,
    path: Path,
    log: Callable[[str], None],
    *,
    sound: Sound | None = None,
    repair: bool = False,
) -> None:
    """Makes the file that people get of a recording that has been closed.

    The recording stays until its copy is whole. Where none can be made, as on a disk that is nearly
    full, it takes the name itself: it plays, too.

    Args:
        recorded: the recording, of the same suffix as `path`; gone afterwards.
        path: the file.
        log: told what is missing in the file.
        sound: to be put beside the pictures.
        repair: whether the recording broke off, and is copied as far as it can be read.

    Raises:
        OutputError: it cannot be given its name; the recording is left where it is.
    """
    copy = beside(path, "finishing")
    if not _can_be_copied(path):
        if sound is not None:
            log(f"{path}: is without sound, which takes PyAV 17 or newer in a .avi file")
        sound, repair = None, False
    try:
        if sound is not None:
            try:
                _copy(recorded, copy, sound, repair=repair)
            except SoundError as error:
                log(f"{path}: is without sound as a {path.suffix} file, {error}")
            else:
                return _rename(copy, path, recorded)
        if repair or path.suffix.lower() in FRAGMENTED:
            _copy(recorded, copy, None, repair=repair)
            return _rename(copy, path, recorded)
    except OSError as error:
        lacks = "its sound and an index" if sound is not None else "an index"
        log(f"{path}: is without {lacks}, as no second copy could be written ({error.strerror})")
    finally:
        with suppress(OSError):
            copy.unlink(missing_ok=True)
    return _rename(recorded, path, recorded)


def _can_be_copied(path: Path) -> bool:
    """Tells whether a copy shows its frames at the rate of the recording.

    AVI has a rate and no times, and PyAV before version 17 gives a copy another rate.
    """
    import av

    return path.suffix.lower() != ".avi" or int(av.__version__.split(".", 1)[0]) >= 17


def _rename(file: Path, path: Path, recorded: Path) -> None:
    try:
        file.replace(path)
        if file != recorded:
            recorded.unlink()
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}); see {recorded}") from None


def has_pictures(path: Path) -> bool:
    """Tells whether there is anything to see in a recording, as far as it can be read."""
    import av

    try:
        with open_any(str(path)) as container:
            next(container.decode(video=0))
            return True
    except (av.FFmpegError, OSError, IndexError, StopIteration):
        return False


def _copy(recorded: Path, copy: Path, sound: Sound | None, *, repair: bool) -> None:
    """Copies a recording's packets into a file with one index, and sound into it.

    Raises:
        SoundError: the sound does not go into the file.
        OSError: the recording cannot be read, or the copy not be written.
    """
    import av

    flags = {"movflags": "+faststart"} if copy.suffix.lower() in FRAGMENTED else {}
    try:
        with ExitStack() as stack:
            source = stack.enter_context(open_any(str(recorded)))
            output = av.open(copy, "w", container_options=flags)
            # Where it failed; what it says then is known.
            stack.callback(_close_anyhow, output)
            video: Any = source.streams.video[0]
            stream: Any = output.add_stream_from_template(video, opaque=True)
            if video.average_rate:
                stream.codec_context.framerate = Fraction(
                    video.average_rate.numerator, video.average_rate.denominator
                )
            # The name by which players of .avi know the format.
            stream.codec_context.codec_tag = video.codec_context.codec_tag
            tracks = [_pictures(source, stream, repair=repair)]
            if sound is not None:
                heard = stack.enter_context(_opened(sound))
                tracks.append(iter(sound.copied_to(output, heard)))
            output.start_encoding()
            for packet in heapq.merge(*tracks, key=_moment):
                output.mux(packet)
            output.close()
    except (av.FFmpegError, OSError, ValueError) as error:
        number, reason = getattr(error, "errno", None), getattr(error, "strerror", None)
        if sound is not None and number not in _DISK_ERRORS:
            raise SoundError(f"which does not take it ({reason or error})") from None
        raise OSError(number, reason or str(error)) from None


def _close_anyhow(output: "OutputContainer") -> None:
    import av

    with suppress(av.FFmpegError, OSError):
        output.close()


def _opened(sound: Sound) -> "InputContainer":
    import av

    try:
        return open_any(str(sound.file))
    except (av.FFmpegError, OSError) as error:
        raise SoundError(f"as {sound.file} cannot be read any more ({error.strerror})") from None


def _pictures(source: "InputContainer", stream: Any, *, repair: bool) -> Iterator["av.Packet[Any]"]:
    import av

    video = source.streams.video[0]
    last: av.Packet[Any] | None = None
    try:
        for packet in source.demux(video):
            if packet.dts is not None and packet.size:
                packet.stream = stream
                if last is not None:
                    yield last
                last = packet
    except (av.FFmpegError, OSError):
        if not repair:
            raise
    if last is None:
        return
    # FFmpeg 7 takes it for a tick from a fragment.
    if video.duration is not None and last.pts is not None:
        last.duration = max(1, video.duration + (video.start_time or 0) - last.pts)
    yield last


def _moment(packet: "av.Packet[Any]") -> float:
    assert packet.dts is not None
    return float(packet.dts * (packet.time_base or 1))
