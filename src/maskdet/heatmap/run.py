"""From sources through both networks to frames with heat maps on and beside them."""

import copy
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import imutils

from maskdet.errors import SourceError
from maskdet.heatmap.drawing.compose import CLASSIC_FRAME_RATE, Explained
from maskdet.heatmap.methods.loading import load_model
from maskdet.heatmap.methods.views import resolve_view
from maskdet.heatmap.options import CLASSIC, RUN, HeatmapOptions
from maskdet.heatmap.pictures import Pictures
from maskdet.heatmap.raw import RawMaps
from maskdet.media.frames import Source
from maskdet.media.inputs.options import ReadOptions
from maskdet.media.outputs import RunOutput
from maskdet.media.sources import open_sources
from maskdet.media.stages import in_thread
from maskdet.media.window import is_wanted, open_window
from maskdet.signals import stopping_on_signals
from maskdet.stream import Progress, Seen, StreamOptions, detect_frames, frames_to_come, no_progress
from maskdet.vision.networks import load_detector
from maskdet.vision.turning import turned
from maskdet.wording import counted

# A camera never ends; this many frames make a recording to look at.
CAMERA_FRAMES = 200
# How much the frames of a run may take in memory that wait for its scale. Bytes.
WAITING_FRAMES = 256 << 20


@dataclass
class HeatmapSummary:
    """What a run drew.

    Attributes:
        frames: frames written.
        faces: faces whose heat maps were computed.
        written: files written.
        names: what the user is to be told was written: files, or the folder of many.
        failures: one line for each thing that could not be read or written.
    """

    frames: int = 0
    faces: int = 0
    written: list[Path] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Returns the summary as lines for people."""
        head = f"{counted(self.faces, 'heat map')} in {counted(self.frames, 'frame')}"
        return [head] + [f"written to {name}" for name in self.names]


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
    sources = open_sources(
        list(options.sources),
        _reading(options, log, stop),
    )
    networks, look = options.networks, options.look
    model = load_model(
        networks.model,
        options.maps,
        crop_margin=networks.crop_margin,
        precision=networks.precision,
        merge=networks.merge,
        log=log,
    )
    labels = model.explainer.labels
    view = resolve_view(look.view, labels)
    raw = None
    if options.raw is not None:
        raw = RawMaps(options.raw, labels, options.maps.method, overwrite=options.overwrite)
    live = any(source.is_live for source in sources)
    frames = CAMERA_FRAMES if options.frames is None and live else options.frames
    detector = load_detector(networks, maps=True, classifier=model.classifier())
    stream = StreamOptions(max_frames=frames, width=options.width, rotate=options.rotate)
    pictures = Pictures(options, model, view)
    summary = HeatmapSummary()
    target, rate = _recording(options, sources)
    with ExitStack() as stack:
        recorded = _at_rate(sources, rate)
        output = stack.enter_context(
            RunOutput(
                list(recorded.values()),
                target,
                "heatmap",
                overwrite=options.overwrite,
                keep_times=rate is None,
                log=log,
            )
        )
        window = None
        if is_wanted(options.show, sources):
            window = stack.enter_context(open_window(output.write_still, log, stop))
        results: Generator[Seen] = detect_frames(sources, detector, stream, stop, log)
        stack.enter_context(closing(results))
        stack.enter_context(stopping_on_signals(stop))
        tick = stack.enter_context(progress(frames_to_come(sources, frames)))
        explained: Iterable[tuple[Seen, Explained]] = _ticking(map(pictures.explain, results), tick)
        if look.normalise == RUN and window is None and _can_be_read_twice(sources):
            explained = _on_one_scale(explained, options, sources, stop)
        drawn = stack.enter_context(closing(in_thread(pictures.draw, explained, stop=stop)))
        # Before the drawing is closed: a live source that waits for a frame must end.
        stack.callback(stop.set)
        for seen, found, picture in drawn:
            output.write(recorded[id(seen.source)], seen.frame, picture)
            if raw is not None:
                raw.add(seen.frame, found.detections)
            summary.frames += 1
            summary.faces += len(found.detections)
            if window is not None and not window.show(picture, wait=not seen.source.is_moving):
                break
            if stop.is_set():
                log(f"stopped after {summary.frames} frames")
                break
    if raw is not None:
        raw.write()
    further = [raw.path] if raw is not None else []
    summary.written = [*output.written, *further]
    summary.names = [*output.names, *map(str, further)]
    summary.failures = [failure for source in sources for failure in source.failures]
    summary.failures += output.failures
    return summary


def _reading(
    options: HeatmapOptions, log: Callable[[str], None], stop: threading.Event | None = None
) -> ReadOptions:
    return ReadOptions(
        options.recursive,
        options.reconnect,
        options.timeout,
        log,
        stop or threading.Event(),
        options.max_pixels,
        own=() if options.output is None else (options.output,),
    )


def _recording(
    options: HeatmapOptions, sources: Sequence[Source]
) -> tuple[Path | None, float | None]:
    """Returns where a run is recorded to, and the frame rate if it is not the source's."""
    target, rate = options.output, options.frame_rate
    if options.look.layout == CLASSIC:
        rate = rate or CLASSIC_FRAME_RATE
        if target is None and len(sources) == 1 and sources[0].is_moving:
            # What earlier scripts called it; the suffix is what makes it XVID.
            target = Path("output.avi")
    return target, rate


def _at_rate(sources: Sequence[Source], rate: float | None) -> dict[int, Source]:
    """Returns the sources by their id, as the output sees them: at the frame rate asked for.

    Copies, which are never read: detection takes from a live source's own rate how fast it must be.
    """
    recorded = {id(source): source for source in sources}
    for key, source in recorded.items():
        if rate is not None and source.is_moving:
            recorded[key] = copy.copy(source)
            recorded[key].frame_rate = rate
    return recorded


def _ticking(
    items: Iterable[tuple[Seen, Explained]], tick: Callable[[], None]
) -> Iterator[tuple[Seen, Explained]]:
    for item in items:
        tick()
        yield item


def _can_be_read_twice(sources: Sequence[Source]) -> bool:
    """Tells whether a second reading gives the same frames, and is needed for one scale."""
    files = all(source.paths for source in sources)
    several = len(sources) > 1 or sources[0].frame_count != 1
    return files and several and not any(source.is_live for source in sources)


def _on_one_scale(
    explained: Iterable[tuple[Seen, Explained]],
    options: HeatmapOptions,
    sources: Sequence[Source],
    stop: threading.Event,
) -> Iterator[tuple[Seen, Explained]]:
    """Explains all frames first, to draw them on the scale of the whole run.

    Frames wait in memory while there is room, and are read again where there is not. Those that
    cannot be are failures of their source.
    """
    # By the source's name, then what frames are called and their index: pictures all have index 0.
    kept: dict[str, dict[tuple[str, int], Explained]] = {}
    waiting: list[tuple[Seen, Explained]] = []
    room, scale = WAITING_FRAMES, 0.0
    for seen, found in explained:
        kept.setdefault(seen.source.name, {})[seen.frame.source, seen.frame.index] = found
        scale = max(scale, found.scale)
        room -= seen.frame.image.nbytes
        if room >= 0:
            waiting.append((seen, found))
        else:
            waiting.clear()
        if stop.is_set():
            break
    if room >= 0:
        for seen, found in waiting:
            yield seen, replace(found, scale=scale)
        return
    owners = {source.name: source for source in sources}
    for source in open_sources(list(options.sources), _reading(options, lambda _: None)):
        owed = kept.get(source.name)
        if not owed:
            continue
        owner = owners[source.name]
        try:
            for frame in source:
                again = owed.pop((frame.source, frame.index), None)
                # One that could not be read the first time.
                if again is None:
                    continue
                image = turned(frame.image, options.rotate)
                if options.width is not None and image.shape[1] != options.width:
                    image = imutils.resize(image, width=options.width)
                seen = Seen(owner, replace(frame, image=image), again.detections)
                yield seen, replace(again, scale=scale)
                if not owed:
                    break
        except SourceError as error:
            owner.failures.append(str(error))
        if owed:
            lost = counted(len(owed), "frame")
            owner.failures.append(f"{source.name}: {lost} could not be read a second time")
