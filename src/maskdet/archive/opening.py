"""Opens a video wherever it is: a path by FFmpeg itself, an address through fsspec, in ranges."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from maskdet.archive.places import (
    BLOCK,
    READ_BY_FFMPEG,
    PatientFile,
    is_address,
    name_of,
    reason_of,
)
from maskdet.errors import SourceError, UnreachableError
from maskdet.media.inputs.containers import checked, open_any, open_container
from maskdet.media.inputs.decoding import MAX_PIXELS

if TYPE_CHECKING:
    from av.container import InputContainer

    from maskdet.media.inputs.pipes import Input

# A server of videos that says nothing for so many seconds has gone away.
_SILENCE = 30.0


@contextmanager
def opened(
    source: str, max_pixels: int = MAX_PIXELS, *, block: int | None = None
) -> Iterator["InputContainer"]:
    """Opens a video, and closes it at the end.

    Args:
        source: path or address.
        max_pixels: its frames may have no more.
        block: bytes asked of a server at a time; ``None`` for what suits whoever reads on.

    Raises:
        UnreachableError: it cannot be read now, and may be later.
        SourceError: it is no video, or too large a one.
    """
    if not is_address(source) or source.lower().startswith(READ_BY_FFMPEG):
        timeout = _SILENCE if is_address(source) else None
        with open_container(source, timeout, max_pixels) as container:
            yield container
        return
    import av

    name = name_of(source)
    file = PatientFile(source, block or BLOCK)
    try:
        try:
            container = open_any(cast("Input", file))
        except av.FFmpegError as error:
            fault = SourceError if isinstance(error, av.InvalidDataError) else UnreachableError
            raise fault(
                f"{name}: is not a picture or video, or is damaged ({reason_of(error)})"
            ) from None
        with checked(container, name, max_pixels):
            yield container
    finally:
        file.close()
