"""From sources through both networks to annotated files, records, alerts and a window."""

import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from maskdet.alerts.channels import channels_of
from maskdet.alerts.options import AlertOptions
from maskdet.detect.handling import Handling
from maskdet.detect.options import DetectOptions
from maskdet.detect.skipping import leave_out_done
from maskdet.detect.summary import RunSummary
from maskdet.detect.veiling import veiled
from maskdet.detections import MASK_LABEL, UNCERTAIN_LABEL
from maskdet.errors import OptionError, OutputError
from maskdet.media.files import make_folder, refuse_existing, unused, write_json
from maskdet.media.frames import Source
from maskdet.media.inputs.options import ReadOptions
from maskdet.media.picture_files import WRITABLE_PICTURES
from maskdet.media.record_files import STANDARD_OUTPUT
from maskdet.media.records import JsonLines
from maskdet.media.sources import open_sources
from maskdet.signals import stopping_on_signals
from maskdet.stream import Progress, Seen, detect_frames, frames_to_come, no_progress
from maskdet.summaries import Summary
from maskdet.vision.networks import load_detector
from maskdet.vision.pipeline import MaskDetector
from maskdet.wording import counted

# From so many videos on another command is worth a word.
MANY_VIDEOS = 20

# Of the many formats that matplotlib writes, those that people open.
PLOT_SUFFIXES = frozenset({".jpeg", ".jpg", ".pdf", ".png", ".svg", ".webp"})


def run(
    options: DetectOptions,
    *,
    log: Callable[[str], None],
    note: Callable[[str], None] | None = None,
    progress: Progress = no_progress,
) -> RunSummary:
    """Runs detection over sources.

    Args:
        options: what to do.
        log: told, a line at a time, what the user should know while it runs.
        note: told how it goes, likewise; ``None`` for telling `log`.
        progress: shows how far the run is.

    Returns:
        What was seen and written.

    Raises:
        MaskdetError: something the user can mend; what was finished before it stays.
    """
    stop = threading.Event()
    note = note or log
    sources = open_sources(
        list(options.sources),
        ReadOptions(
            options.recursive,
            options.reconnect,
            options.timeout,
            log,
            stop,
            options.max_pixels,
            own=tuple(path for path in (options.output, options.crops) if path is not None),
            name_all=options.verbose,
            note=note,
        ),
    )
    skipped: int | None = None
    lost: list[str] = []
    if options.skip_existing:
        assert options.output is not None
        most = options.stream.max_frames
        left = leave_out_done(sources, options.output, max_frames=most, log=note)
        sources, skipped, lost = left.sources, left.skipped, left.failures
        if not sources:
            return _nothing_left(options, RunSummary([], skipped=skipped, incomplete=lost))
    detector = load_detector(
        options.networks,
        maps=options.explain_threshold is not None,
        doubtful=options.blur,
        log=log,
    )
    _check(options, detector)
    _warn_of_idle(options, sources, log)
    videos = sum(source.kind == "video" for source in sources)
    if videos >= MANY_VIDEOS:
        note(f"{videos} videos: maskdet archive uses all cores, and goes on where it broke off")
    summaries = {
        id(source): Summary(
            source.name, source.kind, source.is_moving, detector.labels, failures=source.failures
        )
        for source in sources
    }
    summary = RunSummary(list(summaries.values()), detector.precisions, skipped=skipped)
    with ExitStack() as stack:
        handling = stack.enter_context(Handling(options, sources, detector, log, stop))
        results = detect_frames(sources, detector, options.stream, stop, log)
        stack.enter_context(closing(results))
        # Before the results are closed: a live source that waits for a frame must end.
        stack.callback(stop.set)
        stack.enter_context(stopping_on_signals(stop))
        tick = stack.enter_context(progress(frames_to_come(sources, options.stream.max_frames)))
        start = time.perf_counter()
        for seen in veiled(results) if options.blur else results:
            seen_so_far = summaries[id(seen.source)]
            # Of what ends by itself the summary says it; a camera may run for days before that.
            if seen_so_far.frames == 0 and (seen.source.is_live or options.verbose):
                note(f"{seen.source.name}: {seen.source.kind}{_particulars(seen)}")
            seen_so_far.add(seen.detections, seen.frame.time)
            go_on = handling.take(seen)
            summary.seconds = time.perf_counter() - start
            tick()
            if stop.is_set() or not go_on:
                break
        if stop.is_set():
            note("stopped")
    for source_summary in summary.sources:
        source_summary.finish()
    summary.written, summary.incomplete = handling.written, lost + handling.failures
    summary.undelivered = handling.undelivered
    _write_figures(options, summary, handling.free)
    return summary


def _nothing_left(options: DetectOptions, summary: RunSummary) -> RunSummary:
    """Ends a run that has nothing to do; of its figures there are those of the whole."""
    if options.summary is not None and options.summary != STANDARD_OUTPUT and not options.append:
        refuse_existing(options.summary, overwrite=False)
    _write_figures(replace(options, plot=None), summary, unused)
    return summary


def _particulars(seen: Seen) -> str:
    """Returns what else there is to say of a source: how many frames, how fast, how large."""
    source = seen.source
    height, width = seen.frame.image.shape[:2]
    words = []
    if source.frame_count is not None and source.frame_count > 1:
        words.append(counted(source.frame_count, "frame" if source.is_moving else "picture"))
    if source.frame_rate:
        words.append(f"{source.frame_rate:.4g} frames a second")
    if source.is_moving or source.frame_count == 1:
        words.append(f"{width}x{height}")
    return "".join(f", {word}" for word in words)


def _check(options: DetectOptions, detector: MaskDetector) -> None:
    """Refuses, before the first frame, what could only fail, or be found idle, after the last."""
    _check_labels(options, detector.labels)
    for path, suffixes in (
        (options.summary, None),
        (options.plot, PLOT_SUFFIXES),
        (options.grid, WRITABLE_PICTURES),
    ):
        if path is None or path == STANDARD_OUTPUT:
            continue
        if suffixes is not None and path.suffix.lower() not in suffixes:
            raise OutputError(f"{path}: end the name in one of {', '.join(sorted(suffixes))}")
        make_folder(path.parent)


def _warn_of_idle(
    options: DetectOptions, sources: list[Source], log: Callable[[str], None]
) -> None:
    """Says which options will do nothing with these sources."""
    alerts = options.alerts
    usual = AlertOptions(alerts.command, alerts.webhook, alerts.labels)
    if options.grid is not None and all(source.is_moving for source in sources):
        log(f"{options.grid}: a sheet of pictures: none is written, as no source is one")
    if channels_of(alerts) and alerts != usual and not any(one.is_moving for one in sources):
        log("alerts: pictures have no time: each that shows such a face is told of at once")


def _check_labels(options: DetectOptions, labels: tuple[str, ...]) -> None:
    """Refuses to wait for labels that this model never gives."""
    can_doubt = options.stream.min_confidence is not None
    known = (*labels, UNCERTAIN_LABEL) if can_doubt else labels
    for label in options.fail_on:
        if label == UNCERTAIN_LABEL and not can_doubt:
            raise OptionError(f"--fail-on {label} needs --min-confidence, below which a face is")
        if label not in known:
            raise OptionError(f"--fail-on {label}: this model's labels are {', '.join(known)}")
    given = ", ".join(labels)
    alerts = options.alerts
    for label in alerts.labels:
        if label not in labels:
            raise OptionError(f"--alert-on {label}: this model's labels are {given}")
    for option, needed, is_given in (
        ("--on-no-mask", alerts.watched, alerts.command is not None),
        ("--webhook", alerts.watched, alerts.webhook is not None),
        ("--plot", (MASK_LABEL,), options.plot is not None),
    ):
        if is_given and not set(needed) & set(labels):
            way_out = "" if option == "--plot" else "; --alert-on names others"
            raise OptionError(
                f"{option} needs the label {needed[0]}: this model's are {given}{way_out}"
            )


def _write_figures(
    options: DetectOptions, summary: RunSummary, free: Callable[[Path], Path]
) -> None:
    """Writes the figures of the run; what cannot be written does not keep the rest from it."""
    if options.summary == STANDARD_OUTPUT:
        JsonLines(sys.stdout).write(summary.to_json())
    writers: list[tuple[Path, Callable[[Path], None]]] = []
    if options.summary is not None and options.summary != STANDARD_OUTPUT:
        writers.append((options.summary, lambda path: write_json(path, summary.to_json())))
    if options.plot is not None:
        # Imported when asked for: matplotlib takes as long to load as a hundred faces.
        from maskdet.detect.plot import plot_share

        writers.append((options.plot, lambda path: plot_share(path, summary.sources)))
    for wanted, write in writers:
        path = free(wanted)
        try:
            write(path)
        except OutputError as error:
            summary.incomplete.append(str(error))
        else:
            summary.written.append(str(path))
