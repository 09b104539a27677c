"""Animated pictures that FFmpeg does not play as viewers do: WebP, AVIF and PNG."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from maskdet.errors import SourceError
from maskdet.media.frames import Frame, Kind, UInt8Array
from maskdet.media.inputs.decoding import MAX_PIXELS, refuse_large
from maskdet.media.inputs.pillow import DecodingError, opened_by_pillow, upright_bgr

if TYPE_CHECKING:
    from PIL import Image

# What viewers take a frame's time of 0 for, which means "as fast as you like". Milliseconds.
_USUAL_DURATION = 100.0


def is_animated_gif(path: Path) -> bool:
    """Tells whether a GIF has more than one frame, which its first bytes do not say."""
    try:
        with opened_by_pillow(path) as picture:
            return bool(getattr(picture, "is_animated", False))
    except DecodingError:
        return False


class AnimationSource:
    """An animated picture, decoded frame by frame.

    Args:
        path: the file.
        folder: the folder it was found in or below.
        name: what messages and records call it; ``None`` for its path.
        max_pixels: its frames may have no more.

    Raises:
        SourceError: it is damaged, or too large.
    """

    kind: Kind = "video"
    is_moving = True
    is_live = False

    def __init__(
        self,
        path: Path,
        *,
        folder: Path | None = None,
        name: str | None = None,
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        self.name = name or str(path)
        self.paths: Sequence[Path] = (path,)
        self.folder = folder
        self.failures: list[str] = []
        try:
            with opened_by_pillow(path) as picture:
                refuse_large(picture.size, self.name, max_pixels)
                self.frame_count: int | None = _count(picture)
                # Known of a frame when it has been decoded.
                total = sum(_duration(picture) for _ in _frames(picture))
        except DecodingError as error:
            raise SourceError(f"{path}: is damaged ({error})") from None
        self.frame_rate: float | None = 1000 * self.frame_count / total

    def __iter__(self) -> Iterator[Frame]:
        """Decodes the frames; what can be seen through is dropped.

        Raises:
            SourceError: not a single frame can be decoded.
        """
        moment, done = 0.0, 0
        try:
            with opened_by_pillow(self.paths[0]) as picture:
                for index, image in enumerate(_frames(picture)):
                    yield Frame(self.name, index, moment / 1000, image)
                    moment += _duration(picture)
                    done += 1
        except DecodingError as error:
            if not done:
                raise SourceError(f"{self.name}: is damaged ({error})") from None
            self.failures.append(f"{self.name}: after frame {done - 1}, is damaged ({error})")


def _count(picture: "Image.Image") -> int:
    return int(getattr(picture, "n_frames", 1))


def _frames(picture: "Image.Image") -> Iterator[UInt8Array]:
    for index in range(_count(picture)):
        picture.seek(index)
        yield upright_bgr(picture)


def _duration(picture: "Image.Image") -> float:
    """Returns for how many milliseconds the frame that was decoded last is shown."""
    return float(picture.info.get("duration") or _USUAL_DURATION)
