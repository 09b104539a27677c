"""Everything that is done with a frame once its faces are known."""

import threading
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from maskdet.alerts.channels import channels_of
from maskdet.alerts.delivery import Delivery
from maskdet.alerts.watch import Watch
from maskdet.detect.crops import CropWriter
from maskdet.detect.options import DetectOptions
from maskdet.detect.outlets import Outlets
from maskdet.detections import Detections
from maskdet.errors import OutputError
from maskdet.media.blurring import blur_faces
from maskdet.media.drawing import draw_detections
from maskdet.media.frames import Source
from maskdet.media.grid import Grid
from maskdet.media.outputs import RunOutput
from maskdet.media.record_files import STANDARD_OUTPUT, open_records
from maskdet.media.records import CSV_COLUMNS, CsvRows, JsonLines, record_of
from maskdet.media.window import Window, is_wanted, open_window
from maskdet.stream import Seen
from maskdet.vision.evidence import watched
from maskdet.vision.pipeline import MaskDetector
from maskdet.wording import counted, label_text


class Handling:
    """Draws, writes, shows and tells, as asked. A context manager.

    Args:
        options: what to do.
        sources: in order.
        detector: for its labels and crop margin.
        log: told what the user should know.
        stop: ends the waiting for a key when set.
    """

    def __init__(
        self,
        options: DetectOptions,
        sources: list[Source],
        detector: MaskDetector,
        log: Callable[[str], None],
        stop: threading.Event,
    ) -> None:
        self._options = options
        self._sources = sources
        self._margin = detector.classifier.crop_margin
        lasting = any(source.is_live for source in sources)
        self._outlets = Outlets(log, lasting=lasting)
        self._incomplete: list[str] = []
        self._stack = ExitStack()
        self._output = RunOutput(
            sources,
            options.output,
            "detect",
            overwrite=options.overwrite,
            append=options.append,
            lasting=lasting,
            log=log,
        )
        self._crops = None
        if options.crops is not None:
            self._crops = CropWriter(options.crops, detector.classifier.crop_margin)
        self._grid = None
        if options.grid is not None:
            self._grid = Grid(self._output.free(options.grid), self._output.guard)
        for path in (options.json, options.csv):
            if path is not None and path != STANDARD_OUTPUT:
                self._output.guard_records(path)
        for path in (options.summary, options.plot, options.grid):
            if path is not None and path != STANDARD_OUTPUT:
                self._output.guard(self._output.free(path))
        self._log = log
        self._stop = stop
        self._window: Window | None = None
        self._watch = Watch(options.alerts)
        self._delivery: Delivery | None = None
        self._records: list[tuple[str, JsonLines | CsvRows]] = []

    def __enter__(self) -> Self:
        options, stack = self._options, self._stack
        # Closes what was opened so far if a later one cannot be.
        with ExitStack() as opening:
            opening.callback(stack.close)
            # First, to be left last: files are whole before the last alert is waited for.
            if channels := channels_of(options.alerts):
                delivery = Delivery(channels, options.alerts.delivery, self._log)
                self._delivery = stack.enter_context(delivery)
            for path, writer, header in (
                (options.json, JsonLines, None),
                (options.csv, CsvRows, ",".join(CSV_COLUMNS)),
            ):
                if path is not None:
                    records = open_records(
                        path, overwrite=options.overwrite, append=options.append, header=header
                    )
                    self._records.append((str(path), writer(stack.enter_context(records))))
            if options.save:
                stack.enter_context(self._output)
            if is_wanted(options.show, self._sources):
                window = open_window(self._output.write_still, self._log, self._stop)
                self._window = stack.enter_context(window)
            opening.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        with self._stack:
            if self._grid is not None:
                try:
                    self._grid.flush()
                except OutputError as error:
                    # All frames are done: what else they gave is not to be lost over it.
                    self._incomplete.append(str(error))

    @property
    def written(self) -> list[str]:
        """Names of what was written, once everything is closed."""
        names = self._output.names if self._options.save else []
        names += [name for name, _ in self._records if name != str(STANDARD_OUTPUT)]
        if self._crops is not None and self._crops.count:
            names.append(f"{self._crops.folder} ({counted(self._crops.count, 'face')})")
        return names + [str(path) for path in (self._grid.written if self._grid else [])]

    @property
    def failures(self) -> list[str]:
        """One line for each thing that is not written whole."""
        return [*self._output.failures, *self._outlets.failures, *self._incomplete]

    def free(self, path: Path) -> Path:
        """Returns the name that a file of the run gets; see `RunOutput.free`."""
        return self._output.free(path)

    @property
    def undelivered(self) -> list[str]:
        """One line for each channel on which alerts were not delivered, known at the end."""
        return [] if self._delivery is None else self._delivery.failures

    def take(self, seen: Seen) -> bool:
        """Does everything with a frame; returns False once the user has asked to quit."""
        options, source, frame, faces = self._options, seen.source, seen.frame, seen.detections
        if options.verbose:
            self._log(f"{frame.source} frame {frame.index}: {_counts(faces) or 'no faces'}")
        if self._crops is not None:
            with self._outlets.writing(str(self._crops.folder)):
                self._crops.write(source, frame, frame.image, faces)
        if self._delivery is not None:
            for alert in self._watch.alerts(source, frame, faces):
                self._delivery.send(alert, can_wait=not source.is_live)
        image = frame.image
        if options.save or self._window is not None or self._grid is not None:
            if seen.veiled is not None:
                blur_faces(image, seen.veiled)
            draw_detections(image, faces)
        if options.save:
            # Of a recording that ends it tells by itself.
            with self._outlets.writing("pictures"):
                self._output.write(source, frame, image)
        if self._grid is not None and not source.is_moving:
            with self._outlets.writing("contact sheets"):
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
            for name, writer in self._records:
                with self._outlets.writing(name):
                    writer.write(record)
        if self._window is None:
            return True
        return self._window.show(image, note=_counts(faces), wait=not source.is_moving)


def _counts(faces: Detections) -> str:
    """Returns "Mask 2  No Mask 1" for the labels that were seen."""
    seen = Counter(faces.predicted_labels)
    return "  ".join(f"{label_text(label)} {number}" for label, number in seen.most_common())
