"""Footage in which everyone is in one state: how often the answer is right, and how steady."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from maskdet.boxes import intersection_over_union
from maskdet.detections import Detections, FloatArray
from maskdet.errors import DatasetError
from maskdet.evaluate.options import VideoOptions
from maskdet.evaluate.report import Report, Table
from maskdet.media.plots import DPI, FIRST, SECOND, new_figure
from maskdet.media.sources import open_source
from maskdet.stream import StreamOptions, detect_frames
from maskdet.vision.networks import NetworkOptions, load_detector

# Faces of neighbouring frames that overlap so much are one: people move less than their own width.
SAME_FACE = 0.3


@dataclass
class Steadiness:
    """Counts over the frames of a video.

    Attributes:
        expected: the label every face should have.
        faces: number in each frame.
        right: how many of them had the expected label.
        flips: faces whose label differs from the frame before.
        lost: faces of the frame before that are gone.
        found: faces that were not in the frame before, the first frame's left out.
    """

    expected: str
    faces: list[int] = field(default_factory=list)
    right: list[int] = field(default_factory=list)
    flips: int = 0
    lost: int = 0
    found: int = 0
    _last: tuple[FloatArray, list[str]] | None = None

    def add(self, detections: Detections) -> None:
        """Takes the next frame."""
        labels = detections.predicted_labels
        self.faces.append(len(labels))
        self.right.append(labels.count(self.expected))
        if self._last is not None:
            before, labels_before = self._last
            linked = set()
            if len(before) and len(labels):
                overlaps = intersection_over_union(detections.xyxy, before)
                for index, row in enumerate(overlaps):
                    best = int(row.argmax())
                    if row[best] >= SAME_FACE and best not in linked:
                        linked.add(best)
                        self.flips += labels[index] != labels_before[best]
            self.lost += len(before) - len(linked)
            self.found += len(labels) - len(linked)
        self._last = detections.xyxy, labels

    def figures(self) -> dict[str, float]:
        """Returns the figures."""
        faces, frames = sum(self.faces), len(self.faces)
        return {
            "right_share": sum(self.right) / faces if faces else float("nan"),
            "frames_with_faces": float(np.mean(np.array(self.faces) > 0)),
            "faces_per_frame": faces / frames,
            "flips_per_100_frames": 100 * self.flips / frames,
            "lost_per_100_frames": 100 * self.lost / frames,
            "found_per_100_frames": 100 * self.found / frames,
        }


def evaluate_video(
    options: VideoOptions,
    networks: NetworkOptions,
    output: Path,
    *,
    show: Callable[[float, str], None],
) -> Report:
    """Measures detection on a video; a plot goes to `output`.

    Raises:
        DatasetError: the label is none of the model's, or there is no frame.
        SourceError: the video cannot be read.
        ModelError: a network is missing, damaged or of another kind.
        OutputError: the plot cannot be written.
    """
    source = open_source(str(options.video))
    detector = load_detector(networks)
    expected = dict(networks.merge).get(options.label, options.label)
    if expected not in detector.labels:
        raise DatasetError(
            f"--label {options.label!r} is none of the model's labels: {', '.join(detector.labels)}"
        )
    steadiness = Steadiness(expected)
    total = source.frame_count or 0
    stream = StreamOptions(track=options.track)
    with closing(detect_frames([source], detector, stream)) as frames:
        for done, seen in enumerate(frames, 1):
            steadiness.add(seen.detections)
            show(min(1.0, done / total) if total else 0.0, f"frame {done}")
    if not steadiness.faces:
        raise DatasetError(f"{options.video}: has no frames")
    _plot(output / "video.png", steadiness)
    counts = (
        ("frames", len(steadiness.faces)),
        ("faces", sum(steadiness.faces)),
        ("of them right", sum(steadiness.right)),
        ("flips", steadiness.flips),
        ("faces lost", steadiness.lost),
        ("faces found", steadiness.found),
    )
    return Report(
        kind=options.kind,
        summary=f"Of {sum(steadiness.faces)} faces in {len(steadiness.faces)} frames "
        f"{sum(steadiness.right)} are labelled {expected}, as all should be.",
        highlights=("right_share", "frames_with_faces"),
        about={"label": options.label},
        figures=steadiness.figures(),
        tables=(Table("Counts", ("", "count"), counts),),
        gate=options.gate,
        plots={"video.png": "Faces over time"},
        problems=tuple(source.failures),
    )


def _plot(path: Path, steadiness: Steadiness) -> None:
    figure = new_figure(9, 3)
    axes = figure.subplots()
    frames = np.arange(len(steadiness.faces))
    axes.step(frames, steadiness.faces, color=FIRST, label="faces", where="mid")
    axes.step(frames, steadiness.right, color=SECOND, label="with the right label", where="mid")
    axes.set(xlabel="frame", ylim=(0, max(steadiness.faces) + 1))
    axes.legend(fontsize=8)
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=DPI)
