"""Whether memory stays flat: a long video through `maskdet detect`, its memory watched.

    python benchmarks/soak.py VIDEO --frames 20000

The video is repeated (its packets copied) until it is long enough. Prints the slope of a straight
line through the resident memory after the first tenth of the run. Linux only: reads /proc.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av
import click
import numpy as np


def repeat(video: str, frames: int, target: Path) -> int:
    """Writes a video's packets again and again until it has so many frames; returns how many."""
    written = 0
    with av.open(str(target), "w") as output:
        offset, stream = 0, None
        while written < frames:
            with av.open(video) as source:
                template = source.streams.video[0]
                if stream is None:
                    stream = output.add_stream_from_template(template)
                end = 0
                for packet in source.demux(template):
                    if packet.dts is None or packet.pts is None:
                        continue
                    packet.pts, packet.dts = packet.pts + offset, packet.dts + offset
                    end = max(end, packet.pts + (packet.duration or 1))
                    packet.stream = stream
                    output.mux(packet)
                    written += 1
                offset = end
    return written


def resident(process: int) -> float:
    """Returns a process's resident memory in MB."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * 4096 / 1e6


@click.command()
@click.argument("video", type=click.Path(exists=True))
@click.option("--frames", default=20_000, show_default=True)
def main(video: str, frames: int) -> None:
    """Runs `maskdet detect` on VIDEO, repeated to so many FRAMES."""
    with tempfile.TemporaryDirectory() as folder:
        long = Path(folder) / "long.mkv"
        total = repeat(video, frames, long)
        records = Path(folder) / "records.jsonl"
        command = [sys.executable, "-m", "maskdet", "detect", "--source", str(long), "--quiet"]
        options = ["--json", str(records), "--output", str(Path(folder) / "out.mp4")]
        start = time.monotonic()
        process = subprocess.Popen([*command, *options])
        moments, memory = [], []
        while process.poll() is None:
            time.sleep(0.5)
            try:
                memory.append(resident(process.pid))
            except (FileNotFoundError, IndexError):
                break
            moments.append(time.monotonic() - start)
        seconds = time.monotonic() - start
        if process.wait() != 0:
            raise click.ClickException("maskdet detect failed")
        seen = sum(1 for _ in records.open())
    late = np.array(moments) > seconds / 10
    slope, _ = np.polyfit(np.array(moments)[late] * seen / seconds, np.array(memory)[late], 1)
    print(f"{seen} of {total} frames in {seconds:.0f} s, peak {max(memory):.0f} MB")
    print(f"slope {slope * 1000:+.2f} MB per 1000 frames after the first tenth")


if __name__ == "__main__":
    main()
