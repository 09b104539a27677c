"""The process that decodes posted pictures: bounded, killed when it is late, ended when idle."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from maskdet.errors import SourceError, TooLargeError
from maskdet.serve.web.access.limits import UploadLimits
from maskdet.serve.web.content.decoder import Decoder
from watched_cameras import wait_for

LIMITS = UploadLimits()


def jpeg(side: int) -> bytes:
    """Returns a picture of a side in pixels."""
    noise = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    data: bytes = cv2.imencode(".jpg", noise)[1].tobytes()
    return data


@pytest.fixture
def decoder() -> Iterator[Decoder]:
    """One that gives up after a hundredth of a second, once it has begun."""
    made = Decoder(replace(LIMITS, decode_time=0.01))
    yield made
    if made.process is not None:
        made.process.kill()


def test_a_picture_that_takes_too_long_is_given_up(decoder: Decoder) -> None:
    """What decodes it is killed; the next picture has another, and its own pixels."""
    small, large = jpeg(8), jpeg(3000)
    pixels = decoder.decode(small)
    first = decoder.process
    assert first is not None
    with pytest.raises(TooLargeError, match="too long"):
        decoder.decode(large)
    assert first.returncode is not None
    assert decoder.process is None
    assert (decoder.decode(small) == pixels).all()
    assert (cv2.imdecode(np.frombuffer(small, np.uint8), cv2.IMREAD_COLOR) == pixels).all()


def test_one_that_has_died_is_replaced(decoder: Decoder) -> None:
    """Whatever brought it down, the next picture is decoded."""
    decoder.decode(jpeg(8))
    assert decoder.process is not None
    decoder.process.kill()
    decoder.process.wait()
    assert decoder.decode(jpeg(8)).shape == (8, 8, 3)


def test_refusals_leave_it_alive(decoder: Decoder) -> None:
    """What is no picture is said so; the same process goes on."""
    decoder.decode(jpeg(8))
    process = decoder.process
    with pytest.raises(SourceError, match="takes JPEG"):
        decoder.decode(b"no picture")
    assert decoder.process is process


def test_it_ends_when_nobody_posts_anything() -> None:
    """It holds memory only while pictures come."""
    decoder = Decoder(LIMITS, idle=0.05)
    decoder.decode(jpeg(8))
    process = decoder.process
    assert process is not None
    wait_for(lambda: decoder.process is None)
    wait_for(lambda: process.returncode is not None)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_its_memory_is_bounded(decoder: Decoder) -> None:
    """A picture that wants more than its pixels need gets none, and takes none from cameras."""
    decoder.decode(jpeg(8))
    assert decoder.process is not None
    words = Path(f"/proc/{decoder.process.pid}/limits").read_text().splitlines()
    (line,) = [line for line in words if line.startswith("Max address space")]
    assert 1e9 < int(line.split()[3]) < 4e9
