"""From a source through both networks to frames with heat maps beside them."""

from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskdet.detections import Detections
from maskdet.heatmap.layout import draw_panel, panel_faces, panel_side, side_by_side
from maskdet.media.drawing import draw_detections
from maskdet.media.outputs import FrameOutput
from maskdet.media.sinks import open_window
from maskdet.media.sources import open_source
from maskdet.stream import (
    NetworkOptions,
    Progress,
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
        source: camera number, or path of a picture, folder or video.
        networks: which networks, at which confidence.
        output: file or folder to record to; ``None`` for a fresh ``runs/heatmap/<n>``.
        overwrite: whether existing files may be replaced.
        show: whether to open a window.
        frames: stop after so many; ``None`` for all of a file, 200 of a camera.
        alpha: weight of the map's colours over the face, 0 to 1.
    """

    source: str
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
        source: name of the source.
        frames: frames written.
        faces: heat maps drawn.
        written: files written.
        failures: one line for each picture that could not be read.
    """

    source: str
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
    """Draws heat maps for a source.

    Args:
        options: what to do.
        log: told, a line at a time, what the user should know while it runs.
        progress: shows how far the run is.

    Raises:
        MaskdetError: something the user can mend.
    """
    source = open_source(options.source)
    detector = load_detector(options.networks, maps=True)
    frames = options.frames
    if frames is None and source.kind == "camera":
        frames = CAMERA_FRAMES
    summary = HeatmapSummary(source.name, failures=source.failures)
    with ExitStack() as stack:
        output = stack.enter_context(
            FrameOutput(source, options.output, "heatmap", overwrite=options.overwrite)
        )
        window = open_window(f"maskdet {source.name}", log) if options.show else None
        if window is not None:
            stack.enter_context(window)
        results = detect_frames(source, detector, max_frames=frames)
        stack.enter_context(closing(results))
        stop = stack.enter_context(stopping_on_signals())
        tick = stack.enter_context(progress(source))
        for frame, detections in results:
            rows = VIDEO_PANELS if source.is_moving else min(max(len(detections), 1), MOST_PANELS)
            picture = explain(
                frame.image,
                detections,
                margin=detector.classifier.crop_margin,
                rows=rows,
                alpha=options.alpha,
            )
            output.write(frame, picture)
            summary.frames += 1
            summary.faces += len(detections)
            summary.written = output.written
            tick()
            if window is not None and not window.show(picture, wait=not source.is_moving):
                break
            if stop.is_set():
                log(f"stopped after {summary.frames} frames")
                break
    return summary
