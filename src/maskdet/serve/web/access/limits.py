"""How much a posted picture may be."""

from dataclasses import dataclass

MEGA = 1_000_000


@dataclass(frozen=True)
class UploadLimits:
    """What a posted picture may be.

    Attributes:
        size: bytes of the whole request.
        pixels: of the picture, by its header.
        scans: of a progressive JPEG: each is decoded over the whole picture.
        read_time: for a request's body to arrive. Seconds.
        decode_time: for a picture to be decoded; what takes longer is killed. Seconds.
        answer_time: from its arrival to the answer. Seconds.
        waiting: requests that wait for the one before them; further ones are sent away.
    """

    size: int = 20 * MEGA
    pixels: int = 50 * MEGA
    scans: int = 100
    read_time: float = 30.0
    decode_time: float = 10.0
    answer_time: float = 30.0
    waiting: int = 4
