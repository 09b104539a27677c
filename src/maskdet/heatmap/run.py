"""From sources through both networks to frames with heat maps beside them."""

import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskdet.detections import Detections
from maskdet.heatmap.layout import draw_panel, panel_faces, panel_side, side_by_side
from maskdet.media.drawing import draw_detections
from maskdet.media.outputs import RunOutput
from maskdet.media.sources import ReadOptions, open_sources
from maskdet.media.window import Window, can_open_window
from maskdet.stream import (
    NetworkOptions,
    Progress,
    StreamOptions,
    detect_frames,
    load_detector,
    no_progress,
    stopping_on_signals,
)

# A camera never ends; this many frames make a recording to look at.
CAMERA_FRAMES = 200
# Panels beside a video, whose layout must not change with the number of faces.
VIDEO_PANELS = 3
MOST_PANELS = 4


@dataclass(frozen=True)
class HeatmapOptions:
    """What `maskdet heatmap` was asked to do.

    Attributes:
        sources: what the user named; see `maskdet.media.sources.open_sources`.
        networks: which networks, at which confidence.
        output: file or folder to record to; ``None`` for a fresh ``runs/heatmap/<n>``.
        overwrite: whether existing files may be replaced.
        show: whether to open a window.
        frames: stop after so many; ``None`` for all of a file, 200 of a camera.
        alpha: weight of the map's colours over the face, 0 to 1.
    """

    sources: tuple[str, ...]
    networks: NetworkOptions = field(default_factory=NetworkOptions)
    output: Path | None = None
    overwrite: bool = False
    show: bool = False
    frames: int | None = None
    alpha: float = 0.5


@dataclass
class HeatmapSummary:
    """What a run drew.

    Attributes:
        frames: frames written.
        faces: faces whose heat maps were computed.
        written: files written.
        failures: one line for each thing that could not be read.
    """

    frames: int = 0
    faces: int = 0
    written: list[Path] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def explain(
    frame_bgr: NDArray[np.uint8],
    detections: Detections,
    *,
    margin: float,
    rows: int,
    alpha: float,
) -> NDArray[np.uint8]:
    """Draws a frame's boxes, and its largest faces' heat maps in a column beside it.

    Args:
        frame_bgr: (H, W, 3) uint8, drawn on.
        detections: its faces, with heat maps.
        margin: the classifier's crop margin.
        rows: places in the column.
        alpha: weight of the map's colours.

    Returns:
        (H', W + side, 3) uint8 BGR.
    """
    side = panel_side(frame_bgr.shape[0], rows)
    panels = [
        draw_panel(frame_bgr, detections, index, margin=margin, side=side, alpha=alpha)
        for index in panel_faces(detections, rows)
    ]
    return side_by_side(draw_detections(frame_bgr, detections), panels, rows)


def run(
    options: HeatmapOptions,
    *,
    log: Callable[[str], None],
    progress: Progress = no_progress,
) -> HeatmapSummary:
    """Draws heat maps for sources.

    Args:
        options: what to do.
        log: told, a line at a time, what the user should know while it runs.
        progress: shows how far the run is.

    Raises:
        MaskdetError: something the user can mend.
    """
    stop = threading.Event()
    sources = open_sources(list(options.sources), ReadOptions(log=log, stop=stop))
    detector = load_detector(options.networks, maps=True)
    frames = options.frames
    if frames is None and any(source.is_live for source in sources):
        frames = CAMERA_FRAMES
    summary = HeatmapSummary()
    with ExitStack() as stack:
        output = RunOutput(sources, options.output, "heatmap", overwrite=options.overwrite)
        stack.enter_context(output)
        window = None
        if options.show:
            if can_open_window():
                window = stack.enter_context(
                    Window("maskdet", lambda image: log(f"saved {output.write_still(image)}"))
                )
            else:
                log("no display to open a window on: carrying on without it")
        # A map belongs to one frame, so every frame speaks for itself.
        results = detect_frames(sources, detector, StreamOptions(max_frames=frames, track=False))
        stack.enter_context(closing(results))
        stack.callback(stop.set)
        stack.enter_context(stopping_on_signals(stop))
        tick = stack.enter_context(progress(sources))
        for seen in results:
            count = len(seen.detections)
            moving = seen.source.is_moving
            picture = explain(
                seen.frame.image,
                seen.detections,
                margin=detector.classifier.crop_margin,
                rows=VIDEO_PANELS if moving else min(max(count, 1), MOST_PANELS),
                alpha=options.alpha,
            )
            output.write(seen.source, seen.frame, picture)
            summary.frames += 1
            summary.faces += count
            tick()
            if window is not None and not window.show(picture, wait=not moving):
                break
            if stop.is_set():
                log(f"stopped after {summary.frames} frames")
                break
    summary.written = output.written
    summary.failures = [failure for source in sources for failure in source.failures]
    return summary
