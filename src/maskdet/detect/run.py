"""From sources through both networks to annotated files, records, alerts and a window."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

from maskdet.detect.alerts import Alerts
from maskdet.detect.crops import CropWriter
from maskdet.detect.options import DetectOptions
from maskdet.detect.summary import RunSummary, Summary
from maskdet.detections import UNCERTAIN_LABEL, Detections
from maskdet.errors import MaskdetError, OutputError
from maskdet.media.drawing import blur_faces, draw_detections, label_text
from maskdet.media.files import write_json
from maskdet.media.frames import Source, UInt8Array
from maskdet.media.grid import Grid
from maskdet.media.outputs import RunOutput
from maskdet.media.records import CsvRows, JsonLines, open_records, record_of
from maskdet.media.sources import ReadOptions, open_sources
from maskdet.media.window import Window, can_open_window
from maskdet.stream import (
    Progress,
    Seen,
    detect_frames,
    frames_to_come,
    load_detector,
    no_progress,
    stopping_on_signals,
)
from maskdet.vision.evidence import watched
from maskdet.vision.pipeline import MaskDetector


def run(
    options: DetectOptions,
    *,
    log: Callable[[str], None],
    progress: Progress = no_progress,
) -> RunSummary:
    """Runs detection over sources.

    Args:
        options: what to do.
        log: told, a line at a time, what the user should know while it runs.
        progress: shows how far the run is.

    Returns:
        What was seen and written.

    Raises:
        MaskdetError: something the user can mend; what was finished before it stays.
    """
    stop = threading.Event()
    sources = open_sources(
        list(options.sources),
        ReadOptions(options.recursive, options.reconnect, options.timeout, log, stop),
    )
    detector = load_detector(options.networks, maps=options.explain_threshold is not None, log=log)
    _check(options, detector)
    summaries = {
        id(source): Summary(
            source.name, source.kind, source.is_moving, detector.labels, failures=source.failures
        )
        for source in sources
    }
    summary = RunSummary(list(summaries.values()))
    with ExitStack() as stack:
        run = stack.enter_context(_Run(options, sources, detector, log))
        results = detect_frames(sources, detector, options.stream)
        stack.enter_context(closing(results))
        # Before the results are closed: a live source that waits for a frame must end.
        stack.callback(stop.set)
        stack.enter_context(stopping_on_signals(stop))
        tick = stack.enter_context(progress(frames_to_come(sources, options.stream.max_frames)))
        start = time.perf_counter()
        for seen in results:
            seen_so_far = summaries[id(seen.source)]
            # Of what ends by itself the summary says it; a camera may run for days before that.
            if seen_so_far.frames == 0 and (seen.source.is_live or options.verbose):
                log(f"{seen.source.name}: {seen.source.kind}{_particulars(seen)}")
            seen_so_far.add(seen.detections, seen.frame.time)
            go_on = run.take(seen)
            summary.seconds = time.perf_counter() - start
            tick()
            if stop.is_set():
                log("stopped")
            if stop.is_set() or not go_on:
                break
    for source_summary in summary.sources:
        source_summary.finish()
    summary.written, summary.place = run.written, run.place
    _write_figures(options, summary)
    return summary


def _particulars(seen: Seen) -> str:
    """Returns what else there is to say of a source: how many frames, how fast, how large."""
    source = seen.source
    height, width = seen.frame.image.shape[:2]
    words = []
    if source.frame_count is not None and source.frame_count > 1:
        words.append(f"{source.frame_count} {'frames' if source.is_moving else 'pictures'}")
    if source.frame_rate:
        words.append(f"{source.frame_rate:.4g} frames a second")
    if source.is_moving or source.frame_count == 1:
        words.append(f"{width}x{height}")
    return "".join(f", {word}" for word in words)


def _check(options: DetectOptions, detector: MaskDetector) -> None:
    """Refuses, before the first frame, what could only fail after the last."""
    known = (*detector.labels, UNCERTAIN_LABEL)
    for label in options.fail_on:
        if label not in known:
            raise MaskdetError(f"--fail-on {label}: this model's labels are {', '.join(known)}")
    for path in (options.summary, options.plot, options.grid):
        if path is not None and path.exists() and not options.overwrite:
            raise OutputError(f"{path}: exists already; --overwrite replaces it")


def _write_figures(options: DetectOptions, summary: RunSummary) -> None:
    if options.summary is not None:
        write_json(options.summary, summary.to_json())
    if options.plot is not None:
        # Imported when asked for: matplotlib takes as long to load as a hundred faces.
        from maskdet.detect.plot import plot_share

        plot_share(options.plot, summary.sources)


class _Run:
    """Everything that is done with a frame once its faces are known. A context manager.

    Args:
        options: what to do.
        sources: in order.
        detector: for its labels and crop margin.
        log: told what the user should know.
    """

    def __init__(
        self,
        options: DetectOptions,
        sources: list[Source],
        detector: MaskDetector,
        log: Callable[[str], None],
    ) -> None:
        self._options = options
        self._margin = detector.classifier.crop_margin
        self._stack = ExitStack()
        self._output = RunOutput(
            sources, options.output, "detect", overwrite=options.overwrite, log=log
        )
        self._crops = None
        if options.crops is not None:
            self._crops = CropWriter(options.crops, detector.classifier.crop_margin)
        self._grid = Grid(options.grid) if options.grid is not None else None
        self._log = log
        self._window: Window | None = None
        self._alerts: Alerts | None = None
        self._records: list[JsonLines | CsvRows] = []

    def __enter__(self) -> "_Run":
        options, stack = self._options, self._stack
        # Closes what was opened so far if a later one cannot be.
        with ExitStack() as opening:
            opening.callback(stack.close)
            # First, to be left last: files are whole before the last alert is waited for.
            if options.alerts.command is not None or options.alerts.webhook is not None:
                self._alerts = stack.enter_context(Alerts(options.alerts, self._log))
            for path, writer in ((options.json, JsonLines), (options.csv, CsvRows)):
                if path is not None:
                    stream = stack.enter_context(open_records(path, overwrite=options.overwrite))
                    self._records.append(writer(stream))
            if options.save:
                stack.enter_context(self._output)
            if options.show:
                if can_open_window():
                    self._window = stack.enter_context(Window("maskdet", self._save_shown))
                else:
                    self._log("no display to open a window on: carrying on without it")
            opening.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()
        if self._grid is not None:
            self._grid.flush()

    @property
    def written(self) -> list[Path]:
        """Annotated files written."""
        return self._output.written

    @property
    def place(self) -> Path | None:
        """Where they are."""
        return self._output.place

    def _save_shown(self, image: UInt8Array) -> None:
        self._log(f"saved {self._output.write_still(image)}")

    def take(self, seen: Seen) -> bool:
        """Does everything with a frame; returns False once the user has asked to quit."""
        options, source, frame, faces = self._options, seen.source, seen.frame, seen.detections
        if options.verbose:
            self._log(f"{frame.source} frame {frame.index}: {_counts(faces) or 'no faces'}")
        if self._crops is not None:
            self._crops.write(source, frame, frame.image, faces)
        if self._alerts is not None:
            self._alerts.watch(source, frame, faces)
        image = frame.image
        if options.save or self._window is not None or self._grid is not None:
            if options.blur:
                blur_faces(image, faces.xyxy)
                if faces.lost is not None:
                    blur_faces(image, faces.lost)
            draw_detections(image, faces)
        if options.save:
            self._output.write(source, frame, image)
        if self._grid is not None and not source.is_moving:
            self._grid.add(frame.source, image)
        # After the frame is written: a record says that its frame is done.
        if self._records:
            if options.explain_threshold is not None:
                height, width = frame.image.shape[:2]
                faces = watched(
                    faces,
                    options.explain_threshold,
                    margin=self._margin,
                    width=width,
                    height=height,
                )
            record = record_of(frame, faces)
            for writer in self._records:
                writer.write(record)
        if self._window is None:
            return True
        return self._window.show(image, note=_counts(faces), wait=not source.is_moving)


def _counts(faces: Detections) -> str:
    """Returns "Mask 2  No Mask 1" for the labels that were seen."""
    seen = Counter(faces.predicted_labels)
    return "  ".join(f"{label_text(label)} {number}" for label, number in seen.most_common())
