"""Made-up class folders for the trainer's tests: quick to learn, no two pictures alike."""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

LABELS = ("with_mask", "without_mask")


def made_up_face(random: np.random.Generator, label: str, side: int = 64) -> NDArray[np.uint8]:
    """Draws smooth noise whose lower half shows the class: blue, untouched, or else red."""
    coarse = random.integers(0, 256, (7, 7, 3), dtype=np.uint8)
    face = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    tint = {"with_mask": (220, 120, 60), "without_mask": None}.get(label, (40, 40, 200))
    if tint is not None:
        face[side // 2 :] = (0.2 * face[side // 2 :] + 0.8 * np.array(tint)).astype(np.uint8)
    return face


def write_classes(
    folder: Path, count: int, labels: tuple[str, ...] = LABELS, seed: int = 0
) -> Path:
    """Writes `count` pictures a class and returns the folder."""
    random = np.random.default_rng(seed)
    for label in labels:
        (folder / label).mkdir(parents=True)
        for number in range(count):
            cv2.imwrite(str(folder / label / f"{number:03d}.png"), made_up_face(random, label))
    return folder


def flat_png(width: int, height: int) -> bytes:
    """Returns a black PNG of one bit a pixel, whose width is a multiple of 8."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        crc = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)

    deflate = zlib.compressobj(9)
    row = bytes(1 + width // 8)
    pixels = b"".join(deflate.compress(row) for _ in range(height)) + deflate.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + content
