"""How many cameras `maskdet serve` keeps up with, what it takes of memory, and how late it shows.

    python benchmarks/serve.py --cameras 8 --seconds 30

Each camera is a film of 1280x720 in H.264 at 5 frames a second, two faces moving in it, decoded and
looked at as any other. Prints the processor time that one camera takes, which says how many a
machine has room for whatever else it does meanwhile, the frames that were dropped, and the memory,
that of the page's server among it, and in how many frames at a time faces are looked for.
The delay is that from the arrival of a frame of the first camera to the JPEG that a
viewer has of it.
"""

import argparse
import json
import os
import resource
import statistics
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np

from maskdet.media.heaps import save_memory
from maskdet.media.inputs.decoding import read_picture
from maskdet.serve.hub import Hub
from maskdet.serve.running.service import Service
from maskdet.serve.site.reading import site_of_sources
from maskdet.serve.web.running import PageServer

# Till all is loaded, and a second lane opened where there is need of one. Seconds.
WARM = 15
SAMPLES = Path(__file__).resolve().parent.parent / "samples"
WIDTH, HEIGHT, RATE, SECONDS = 1280, 720, 5, 8
FACE = 260  # pixels of a portrait's side


def main() -> None:
    """Runs one measurement and prints it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cameras", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=30)
    options = parser.parse_args()
    save_memory()
    with tempfile.TemporaryDirectory() as name:
        film = Path(name) / "film.mp4"
        write_film(film)
        sources = [f"camera {n}={film}" for n in range(options.cameras)]
        site = site_of_sources(sources, Path(name) / "site")
        site = replace(
            site,
            cameras=tuple(replace(c, frame_rate=RATE) for c in site.cameras),
            server=replace(site.server, port=0),
        )
        begun = time.perf_counter()
        service = Service(site, lambda _: None)
        with PageServer(service.hub, site.server), service:
            while not all(camera.frames_seen for camera in service.hub.cameras()):
                time.sleep(0.02)
            first = time.perf_counter() - begun
            time.sleep(WARM)
            print(
                json.dumps(
                    {"first_pictures_s": round(first, 2), **measure(service.hub, options.seconds)}
                )
            )


def measure(hub: Hub, seconds: float) -> dict[str, object]:
    """Watches the service for a while."""
    delays: list[float] = []
    over = threading.Event()

    def view() -> None:
        """Looks at the first camera, as one viewer of the page does."""
        name, known = hub.cameras()[0].name, 0
        while not over.is_set():
            picture = hub.picture(name, known, 1.0)
            if picture is not None:
                known = picture.number
                picture.jpeg(width=960, quality=75)
                delays.append(time.time() - picture.time.timestamp())

    viewer = threading.Thread(target=view)
    before, at, used = hub.cameras(), time.perf_counter(), processor_seconds()
    viewer.start()
    time.sleep(seconds)
    over.set()
    spent, took = time.perf_counter() - at, processor_seconds() - used
    viewer.join()
    after = hub.cameras()
    read = sum(b.frames_read - a.frames_read for a, b in zip(before, after, strict=True))
    seen = [b.frames_seen - a.frames_seen for a, b in zip(before, after, strict=True)]
    stages = {
        stage: sum(
            camera.seconds[stage].total / max(1, camera.seconds[stage].count) for camera in after
        )
        / len(after)
        for stage in after[0].seconds
    }
    return {
        "cameras": len(after),
        "frames_read": read,
        "frames_seen": sum(seen),
        "least_and_most_seen_of_a_camera": [min(seen), max(seen)],
        "processor_share_of_a_core_each_camera": round(took / spent / len(after), 3),
        "cores_taken": round(took / spent, 2),
        "processor_ms_a_frame": round(1000 * took / max(1, sum(seen)), 1),
        "stages_ms": {name: round(1000 * mean, 1) for name, mean in stages.items()},
        "delay_ms_median_and_worst": [
            round(1000 * statistics.median(delays)),
            round(1000 * max(delays)),
        ],
        "memory_mb": round(resident_mb()),
        "lanes": hub.networks.lanes.open,
        "load_of_the_machine": round(os.getloadavg()[0], 1),
    }


def write_film(path: Path) -> None:
    """Writes a film of two faces that move before a still wall."""
    faces = [
        cv2.resize(read_picture(SAMPLES / name), (FACE, FACE), interpolation=cv2.INTER_AREA)
        for name in ("astronaut.jpg", "astronaut_masked.jpg")
    ]
    random = np.random.default_rng(0)
    wall = cv2.resize(random.integers(80, 160, (18, 32, 3), np.uint8), (WIDTH, HEIGHT))
    frames = RATE * SECONDS
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(frames):
            image = wall.copy()
            away = round((WIDTH - 2 * FACE) / 2 * (1 - np.cos(2 * np.pi * number / frames)) / 2)
            for place, face in enumerate(faces):
                left = 40 + away + place * (FACE + 60)
                image[200 : 200 + FACE, left : left + FACE] = face
            output.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        output.mux(stream.encode(None))


def processor_seconds() -> float:
    """Returns the processor time this process has taken, of all its threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def resident_mb() -> float:
    """Returns this process's resident memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


if __name__ == "__main__":
    main()
