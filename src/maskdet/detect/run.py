"""From a source through both networks to annotated files, records and a window."""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from maskdet.detections import Detections
from maskdet.media.drawing import draw_detections, label_text
from maskdet.media.frames import Frame
from maskdet.media.outputs import FrameOutput
from maskdet.media.sinks import JsonLines, open_window
from maskdet.media.sources import open_source
from maskdet.stream import (
    NetworkOptions,
    Progress,
    detect_frames,
    load_detector,
    no_progress,
    stopping_on_signals,
)


@dataclass(frozen=True)
class DetectOptions:
    """What `maskdet detect` was asked to do.

    Attributes:
        source: camera number, or path of a picture, folder or video.
        networks: which networks, at which confidence.
        output: folder or file; ``None`` for a fresh ``runs/detect/<n>``.
        save: whether annotated pictures or video are written at all.
        overwrite: whether existing files may be replaced.
        show: whether to open a window.
        max_frames: stop after so many frames.
    """

    source: str
    networks: NetworkOptions = field(default_factory=NetworkOptions)
    output: Path | None = None
    save: bool = True
    overwrite: bool = False
    show: bool = False
    max_frames: int | None = None


@dataclass
class Summary:
    """What a run saw.

    Attributes:
        source: name of the source.
        frames: frames seen.
        faces: faces counted by label, over all frames.
        frames_with_faces: frames in which there was at least one.
        seconds: from the first frame's result to the last's.
        written: files written.
        place: folder or file they are in.
        failures: one line for each picture that could not be read.
    """

    source: str
    frames: int = 0
    faces: Counter[str] = field(default_factory=Counter)
    frames_with_faces: int = 0
    seconds: float = 0.0
    written: list[Path] = field(default_factory=list)
    place: Path | None = None
    failures: list[str] = field(default_factory=list)

    def add(self, detections: Detections) -> None:
        """Counts one frame."""
        self.frames += 1
        self.frames_with_faces += len(detections) > 0
        self.faces.update(detections.predicted_labels)

    def lines(self, labels: tuple[str, ...]) -> list[str]:
        """Returns the summary as lines for people."""
        rate = self.frames / self.seconds if self.seconds > 0 else 0.0
        width = max(len(label_text(label)) for label in labels)
        lines = [
            f"{self.source}: {_count(self.frames, 'frame')}, {_count(self.faces.total(), 'face')}"
            f" in {self.frames_with_faces} of them, {rate:.1f} frames a second"
        ]
        lines += [f"  {label_text(label):<{width}}  {self.faces[label]}" for label in labels]
        if self.place is not None and self.written:
            lines.append(f"written to {self.written[0] if len(self.written) == 1 else self.place}")
        return lines


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def record_of(frame: Frame, detections: Detections) -> dict[str, Any]:
    """Returns a frame's record, as `--json` prints it."""
    height, width = frame.image.shape[:2]
    return {
        "source": frame.source,
        "frame": frame.index,
        "time": round(frame.time, 3),
        "width": width,
        "height": height,
        "faces": detections.to_records(),
    }


def run(
    options: DetectOptions,
    *,
    records: TextIO | None = None,
    log: Callable[[str], None],
    progress: Progress = no_progress,
) -> tuple[Summary, tuple[str, ...]]:
    """Runs detection over a source.

    Args:
        options: what to do.
        records: where JSON lines go, if anywhere.
        log: told, a line at a time, what the user should know while it runs.
        progress: shows how far the run is.

    Returns:
        The summary and the labels it counts.

    Raises:
        MaskdetError: something the user can mend; files finished before it stay.
    """
    source = open_source(options.source)
    detector = load_detector(options.networks)
    writer = JsonLines(records) if records is not None else None
    summary = Summary(source.name, failures=source.failures)
    with ExitStack() as stack:
        output = window = None
        if options.save:
            output = stack.enter_context(
                FrameOutput(source, options.output, "detect", overwrite=options.overwrite)
            )
        if options.show:
            window = open_window(f"maskdet {source.name}", log)
            if window is not None:
                stack.enter_context(window)
        results = detect_frames(source, detector, max_frames=options.max_frames)
        stack.enter_context(closing(results))
        stop = stack.enter_context(stopping_on_signals())
        tick = stack.enter_context(progress(source))
        start = time.perf_counter()
        for frame, detections in results:
            summary.add(detections)
            if output is not None or window is not None:
                draw_detections(frame.image, detections)
            if output is not None:
                output.write(frame, frame.image)
                summary.written, summary.place = output.written, output.place
            # After the frame is written: a record says that its frame is done.
            if writer is not None:
                writer.write(record_of(frame, detections))
            summary.seconds = time.perf_counter() - start
            tick()
            if window is not None and not window.show(frame.image, wait=not source.is_moving):
                break
            if stop.is_set():
                log(f"stopped after {_count(summary.frames, 'frame')}")
                break
    return summary, detector.labels
