"""How late a viewer of `maskdet serve` sees what a camera shows, and how soon after the command.

    python benchmarks/serve_delay.py --seconds 20

A camera of 1280x720 in MJPEG over HTTP shows a portrait, and in its corner the time at which the
picture was drawn, as black and white squares. A viewer reads the page's own stream over HTTP and
the squares in what comes: the delay is all there is between the two, encoding at the camera,
network, looking, drawing and encoding again among it. Prints milliseconds, and seconds from the
command's start to the first picture.
"""

import argparse
import json
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from maskdet.media.inputs.decoding import decode_picture, read_picture

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
WIDTH, HEIGHT = 1280, 720
# The clock: bits of a number of milliseconds, each a square. Pixels.
BITS, SQUARE = 24, 32
AGAIN = 1 << BITS  # where it begins again; milliseconds
PATIENCE = 120  # seconds


def main() -> None:
    """Runs one measurement and prints it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rate", type=float, default=5, help="the camera's frames a second")
    options = parser.parse_args()
    camera = ThreadingHTTPServer(("127.0.0.1", 0), handler(options.rate))
    threading.Thread(target=camera.serve_forever, daemon=True).start()
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        source = f"door=http://127.0.0.1:{camera.server_port}/stream.mjpg"
        words = ["--source", source, "--port", str(port), "--folder", folder]
        begun = time.perf_counter()
        service = subprocess.Popen(
            [sys.executable, "-m", "maskdet", "serve", *words], stderr=subprocess.DEVNULL
        )
        try:
            stream = opened(f"http://127.0.0.1:{port}/api/pictures?camera=door")
            next_picture(stream)
            first = time.perf_counter() - begun
            delays = measured(stream, options.seconds)
        finally:
            service.terminate()
            service.wait()
    print(
        json.dumps(
            {
                "load": round(os.getloadavg()[0], 1),
                "first_picture_s": round(first, 2),
                "pictures": len(delays),
                "delay_ms_median": round(statistics.median(delays)),
                "delay_ms_95": round(float(np.percentile(delays, 95))),
            }
        )
    )


def measured(stream: BinaryIO, seconds: float) -> list[float]:
    """Returns the delay of each picture that comes in a time. Milliseconds."""
    delays: list[float] = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        image = next_picture(stream)
        delays.append((now_ms() - read_clock(image)) % AGAIN)
    return delays


def now_ms() -> int:
    """Returns milliseconds of a clock that both ends share."""
    return int(time.perf_counter() * 1000) % AGAIN


def draw_clock(image: NDArray[np.uint8]) -> None:
    """Draws the time into the lower left corner."""
    number = now_ms()
    for bit in range(BITS):
        colour = 255 if number >> bit & 1 else 0
        image[-SQUARE:, bit * SQUARE : (bit + 1) * SQUARE] = colour


def read_clock(image: NDArray[np.uint8]) -> int:
    """Reads it from a picture of any size."""
    scale = image.shape[1] / WIDTH
    row = image[round(image.shape[0] - SQUARE * scale / 2)]
    centres = [round((bit + 0.5) * SQUARE * scale) for bit in range(BITS)]
    return sum(1 << bit for bit, place in enumerate(centres) if row[place].mean() > 127)


def handler(rate: float) -> type[BaseHTTPRequestHandler]:
    """Makes a camera that shows a face which moves."""
    face = cv2.resize(read_picture(SAMPLES / "astronaut.jpg"), (512, 512))

    class Camera(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            number = 0
            while True:
                image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
                left = 100 + 8 * (number % 60)
                image[60:572, left : left + 512] = face
                draw_clock(image)
                data = cv2.imencode(".jpg", image)[1].tobytes()
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                try:
                    self.wfile.write(head.encode() + data + b"\r\n")
                except OSError:
                    return
                number += 1
                time.sleep(1 / rate)

        def log_message(self, *_: object) -> None:
            pass

    return Camera


def free_port() -> int:
    """Returns a port that nobody listens on."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        return server.server_port


def opened(address: str) -> BinaryIO:
    """Opens a stream as soon as there is one."""
    end = time.perf_counter() + PATIENCE
    while True:
        try:
            answer: BinaryIO = urllib.request.urlopen(address, timeout=PATIENCE)
        except (urllib.error.URLError, ConnectionError):
            if time.perf_counter() > end:
                raise
            time.sleep(0.02)
        else:
            return answer


def next_picture(stream: BinaryIO) -> NDArray[np.uint8]:
    """Reads the next picture of the page's stream."""
    line, size = struct.unpack(">II", stream.read(8))
    stream.read(line)
    return decode_picture(stream.read(size), "a picture of the stream")


if __name__ == "__main__":
    main()
