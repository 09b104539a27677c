"""One face of a picture."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from maskdet.api.pictures import encoded
from maskdet.media.frames import UInt8Array
from maskdet.wording import label_text


@dataclass(frozen=True)
class Face:
    """A face.

    Attributes:
        label: such as ``with_mask`` and ``without_mask``; ``uncertain`` where it was less sure than
            ``min_confidence``.
        confidence: probability of its label, 0 to 1.
        box: left, top, right, bottom in pixels of the picture.
        face_score: how sure the face detector is, 0 to 1.
        probabilities: label to probability; they sum to 1.
        track: number of the person through the video; ``None`` where faces are not followed.

    Examples:
        >>> import maskdet
        >>> face = maskdet.load()("samples/astronaut_masked.jpg")[0]
        >>> face.label, face.confidence > 0.9
        ('with_mask', True)
        >>> left, top, right, bottom = face.box
        >>> left < right and top < bottom
        True
    """

    label: str
    confidence: float
    box: tuple[float, float, float, float]
    face_score: float
    probabilities: Mapping[str, float]
    track: int | None
    _seen: UInt8Array = field(repr=False, compare=False)

    @property
    def crop(self) -> UInt8Array:
        """(h, w, 3) uint8 BGR, the face with the margin that the classifier sees; a copy."""
        return self._seen.copy()

    def __str__(self) -> str:
        return f"{label_text(self.label)} {self.confidence:.1%}"

    def _repr_png_(self) -> bytes:
        return encoded(self._seen, ".png")
