"""Pictures that are posted: right ones, wrong ones, and those that are meant to do harm."""

import asyncio
import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from fastapi import HTTPException
from PIL import Image

from maskdet.serve.web.access.limits import UploadLimits
from maskdet.serve.web.content.uploads import Queue


def png_of(width: int, height: int, rows: int) -> bytes:
    """Returns a PNG whose header promises a size, with so many rows of it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    pixels = zlib.compress(bytes(3 * width + 1) * rows, 9)
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.fixture(scope="module")
def face(request: pytest.FixtureRequest) -> bytes:
    """A photograph of a bare face."""
    return (Path(request.config.rootpath) / "samples" / "astronaut.jpg").read_bytes()


def test_a_picture_is_answered_by_its_record(asker: Any, face: bytes) -> None:
    """As a body or in a form; the record has the words of `detect --json`."""
    form = asker.post("/api/detect", files={"picture": ("../../x.jpg", face, "image/jpeg")})
    body = asker.post("/api/detect", content=face, headers={"content-type": "image/jpeg"})
    assert form.json() == body.json()
    record = body.json()
    assert (record["width"], record["height"]) == (512, 512)
    assert record["faces"][0]["label"] == "without_mask"
    assert set(record["faces"][0]) >= {"box", "face_score", "confidence", "probabilities"}
    assert "pictures" not in record


def test_drawn_pictures_come_with_the_record_or_alone(asker: Any, face: bytes) -> None:
    """Boxes and heat map are both drawn on the photograph, and differ from it and one another."""
    path = "/api/detect?include=annotated&include=heatmap"
    pictures = asker.post(path, content=face).json()["pictures"]
    assert set(pictures) == {"annotated", "heatmap"}
    assert pictures["annotated"] != pictures["heatmap"]
    shown = [face]
    for name in pictures:
        answer = asker.post(f"/api/detect?as={name}", content=face)
        assert answer.headers["content-type"] == "image/jpeg"
        shown.append(answer.content)
    images = [cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) for data in shown]
    assert len({image.shape for image in images}) == 1
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert np.abs(images[first].astype(int) - images[second]).max() > 100


def progressive(scans: int) -> bytes:
    """Returns a JPEG that says it has many scans, each of which costs a whole decoding."""
    data = io.BytesIO()
    Image.new("RGB", (64, 64)).save(data, "JPEG", progressive=True)
    whole = data.getvalue()
    start = whole.index(b"\xff\xda")
    following = whole.index(b"\xff", start + 4)
    return whole[:start] + whole[start:following] * scans + whole[start:]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", 422),
        (b"\xff\xd8\xff", 415),
        (b"GIF89a", 415),
        (b"not a picture" * 50, 415),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415),
        (b"%PDF-1.4", 415),
        (b"II*\0" + bytes(100), 415),
        (b"RIFF\0\0\0\0WEBPVP8 ", 415),
        (b"\0\0\0\x18ftypheic" + bytes(50), 415),
        (b"\0\0\0\x18ftypavif" + bytes(50), 415),
        (png_of(60_000, 60_000, 10), 413),
        (png_of(2_000_000_000, 2, 0), 413),
        (png_of(0, 5, 0), 415),
        (progressive(200), 413),
    ],
    ids=lambda value: str(value)[:30] if isinstance(value, bytes) else None,
)
def test_hostile_pictures_are_refused(asker: Any, data: bytes, status: int) -> None:
    """By their header, before memory is taken; nothing is an error of the server's."""
    answer = asker.post("/api/detect", content=data)
    assert answer.status_code == status, answer.text
    assert "Traceback" not in answer.text


def test_a_picture_that_is_cut_short_is_refused(asker: Any, face: bytes) -> None:
    """Half of a photograph is not answered as if it were whole."""
    for kept in (len(face) // 2, 700, 30):
        assert asker.post("/api/detect", content=face[:kept]).status_code == 415


def test_bodies_are_bounded(asking: Callable[..., Any], face: bytes) -> None:
    """Announced or not, a larger one is not read to its end; other routes take much less."""
    asker = asking(limits=UploadLimits(size=10_000))
    read = 0

    async def endless() -> Any:
        nonlocal read
        while True:
            read += 4096
            yield bytes(4096)

    assert asker.post("/api/detect", content=face).status_code == 413
    answer = asker.post("/api/detect", content=endless())
    assert answer.status_code == 413
    assert answer.headers["connection"] == "close"
    assert read < 50_000
    assert asker.post("/api/login", content=bytes(20_000)).status_code == 413


def test_slow_bodies_are_given_up(asking: Callable[..., Any]) -> None:
    """Who sends nothing more does not hold a place for ever."""
    asker = asking(limits=UploadLimits(read_time=0.05))

    async def slow() -> Any:
        yield b"\xff\xd8\xff"
        await asyncio.sleep(60)
        yield b""

    assert asker.post("/api/detect", content=slow()).status_code == 408


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"--x", "multipart/form-data"),
        (b"--x\r\nbroken", "multipart/form-data; boundary=x"),
        (b"--x--\r\n", "multipart/form-data; boundary=x"),
        (
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
        ),
    ],
)
def test_broken_forms_are_refused(asker: Any, content: bytes, kind: str) -> None:
    """A form without a picture, or that is none."""
    answer = asker.post("/api/detect", content=content, headers={"content-type": kind})
    assert answer.status_code in (400, 422)


def test_work_waits_in_line_and_the_line_has_an_end() -> None:
    """One at a time; who comes when the line is full, or waits too long, is sent away."""

    async def run() -> None:
        queue = Queue(UploadLimits(waiting=1, answer_time=0.2))
        go = asyncio.Event()
        loop = asyncio.get_running_loop()

        def work() -> str:
            asyncio.run_coroutine_threadsafe(go.wait(), loop).result()
            return "done"

        first, second = (asyncio.create_task(queue.do(work)) for _ in range(2))
        await asyncio.sleep(0)
        with pytest.raises(HTTPException) as caught:
            await queue.do(work)
        assert caught.value.status_code == 503
        for task in (first, second):
            with pytest.raises(HTTPException, match="too long"):
                await task
        go.set()
        # What had begun goes on to its end, and those who come then are heard.
        while True:
            try:
                assert await queue.do(work) == "done"
                return
            except HTTPException:
                await asyncio.sleep(0.01)

    asyncio.run(run())
