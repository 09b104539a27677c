"""What drawing heat maps costs beside detection alone, whole commands on the same video.

    python benchmarks/heatmap_cost.py VIDEO

The commands run in turns, as a user would start them: on a shared machine only the ratio of
neighbouring runs means something, and processor time more than the clock. Then the drawing of one
frame is timed by itself.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

from maskdet.heatmap.drawing.colours import palette
from maskdet.heatmap.drawing.compose import Composer, Explained
from maskdet.heatmap.drawing.layout import VIDEO_PANELS, Layout, Seats
from maskdet.heatmap.drawing.panels import Brush
from maskdet.heatmap.methods.views import DIFFERENCE, shown_maps
from maskdet.media.sources import open_source
from maskdet.vision.networks import NetworkOptions, load_detector

FRAMES_TIMED = 40


def run(command: list[str]) -> tuple[float, float]:
    """Runs a command to its end and returns its seconds by the clock and of processor time."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise click.ClickException(f"{' '.join(command)} failed")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime


def time_drawing(video: str) -> float:
    """Returns the median milliseconds of drawing a frame with its maps and panels."""
    detector = load_detector(NetworkOptions(), maps=True)
    composer = Composer(
        Brush(palette("coldwarm", 0.6)), margin=detector.classifier.crop_margin, exact=True
    )
    seats = Seats(VIDEO_PANELS)
    times = []
    for _, frame in zip(range(FRAMES_TIMED), open_source(video), strict=False):
        height, width = frame.image.shape[:2]
        layout = Layout(width, height, places=VIDEO_PANELS, size=None, note="")
        faces = detector(frame.image)
        shown = shown_maps(faces, DIFFERENCE)
        scale = float(abs(shown.maps).max(initial=0.0))
        start = time.perf_counter()
        composer.draw(frame.image, Explained(faces, shown, scale), layout, seats)
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


@click.command()
@click.argument("video", type=click.Path(exists=True))
@click.option("--runs", default=5, show_default=True, help="Runs of each command; medians count.")
def main(video: str, runs: int) -> None:
    """Measures what heat maps cost on VIDEO."""
    commands = {
        "detect": ["detect"],
        "heatmap, one scale": ["heatmap"],
        "heatmap, a scale a frame": ["heatmap", "--normalise", "frame"],
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(runs):
            for name, words in commands.items():
                output = str(Path(folder) / f"{number}-{len(taken[name])}-{'-'.join(words)}.mp4")
                command = [sys.executable, "-m", "maskdet", *words, "--source", video]
                taken[name].append(run([*command, "--output", output]))
    print(f"{'':<26}{'seconds':>9}{'processor':>11}{'ratio':>8}{'processor':>11}")
    for name, results in taken.items():
        ratios = [
            [mine[kind] / base[kind] for mine, base in zip(results, taken["detect"], strict=True)]
            for kind in (0, 1)
        ]
        print(
            f"{name:<26}{statistics.median(r[0] for r in results):>9.2f}"
            f"{statistics.median(r[1] for r in results):>11.2f}"
            f"{statistics.median(ratios[0]):>8.2f}{statistics.median(ratios[1]):>11.2f}"
        )
    print(f"drawing a frame: {time_drawing(video):.1f} ms")


if __name__ == "__main__":
    main()
