"""What calling `maskdet.Detector` costs over the two stages themselves, and what watching leaves.

Frames of the bundled one-face video are given to both in turns. Times are of the processor, which a
busy machine changes least.

    python benchmarks/python_api.py --rounds 10 --watches 1000
"""

import argparse
import gc
import statistics
import threading
import time
from pathlib import Path

import maskdet
from maskdet.media.sources import open_source
from maskdet.vision.networks import NetworkOptions, load_detector

VIDEO = Path(__file__).parents[1] / "samples" / "astronaut.mp4"


def measure_calls(rounds: int) -> None:
    """Prints the median time of a frame by the stages, and what the API adds to it."""
    frames = [frame.image for frame in open_source(str(VIDEO))]
    stages, detector = load_detector(NetworkOptions()), maskdet.load()
    extra: list[float] = []
    usual: list[float] = []
    for number in range(rounds + 1):
        for index, image in enumerate(frames):
            taken = {}
            # Neither is always the second, which finds the frame in the cache.
            pair = (stages, detector) if index % 2 else (detector, stages)
            for call in pair:
                start = time.process_time()
                call(image)
                taken[call is detector] = time.process_time() - start
            if number:  # the first round loads
                usual.append(taken[False])
                extra.append(taken[True] - taken[False])
    frame, more = statistics.median(usual), statistics.median(extra)
    print(f"a frame {1e3 * frame:.2f} ms, the API {1e3 * more:+.3f} ms more ({more / frame:+.2%})")


def measure_watches(count: int) -> None:
    """Prints memory and threads while a video is watched and left, again and again."""
    detector = maskdet.load()
    for number in range(count + 1):
        for _ in detector.watch(VIDEO):
            break
        if number % max(1, count // 5) == 0:
            gc.collect()
            memory, threads = resident_megabytes(), threading.active_count()
            print(f"{number} watches: {memory:.1f} MB, {threads} threads")


def resident_megabytes() -> float:
    """Returns how much memory the process holds (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def main() -> None:
    """Runs both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10, help="times the video's frames are read")
    parser.add_argument("--watches", type=int, default=1000, help="times it is watched and left")
    given = parser.parse_args()
    measure_calls(given.rounds)
    measure_watches(given.watches)


if __name__ == "__main__":
    main()
