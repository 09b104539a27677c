"""How good a model is: `maskdet evaluate` from Python."""

import html
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskdet.annotations import FORMATS
from maskdet.api import checking
from maskdet.api.logs import Log, teller
from maskdet.class_folders.splits import SPLITS, TEST
from maskdet.evaluate import run as evaluating
from maskdet.evaluate.options import (
    EvaluateOptions,
    FolderOptions,
    PhotographOptions,
    RunPartOptions,
    Subject,
    VideoOptions,
)
from maskdet.evaluate.report import Report, Table
from maskdet.metrics import Interval


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation came to.

    Attributes:
        folder: with all that was written.
        report: its ``report.json``.
        page: its ``report.html``, to read in a browser.
        summary: what it comes to, in a sentence.
        figures: name to figure; shares are 0 to 1.
        intervals: name to the low and high end of the 95% interval, where there is one.
        problems: one line for each picture that was left out.
        worse: figures that got worse than in the report of ``compare``; empty without one.

    Examples:
        >>> import maskdet
        >>> result = maskdet.evaluate("faces", output="report")
        >>> result.figures["accuracy"], result.report.name
        (1.0, 'report.json')
    """

    folder: Path
    report: Path
    page: Path
    summary: str
    figures: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    problems: tuple[str, ...]
    worse: tuple[str, ...]
    _report: Report

    def to_dict(self) -> dict[str, Any]:
        """Returns what ``report.json`` holds."""
        return self._report.to_json()

    def __str__(self) -> str:
        return self.summary

    def _repr_html_(self) -> str:
        tables = map(_html_table, (self._report.figure_table(), *self._report.tables))
        end = f"<p>report in {html.escape(str(self.folder))}</p>"
        return f"<p>{html.escape(self.summary)}</p>{''.join(tables)}{end}"


def _html_table(table: Table) -> str:
    rows = [
        "".join(f"<{tag}>{html.escape(text)}</{tag}>" for text in row)
        for tag, row in [("th", table.columns), *(("td", row) for row in table.texts())]
    ]
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    note = f"<p>{html.escape(table.note)}</p>" if table.note else ""
    return f"<table><caption>{html.escape(table.title)}</caption>{body}</table>{note}"


def evaluate(
    dataset: checking.AnyPath | None = None,
    *,
    run: checking.AnyPath | None = None,
    part: str | None = None,
    images: checking.AnyPath | None = None,
    annotations: checking.AnyPath | None = None,
    format: str = "auto",  # noqa: A002 - the command's word
    video: checking.AnyPath | None = None,
    label: str | None = None,
    track: bool = True,
    map: Mapping[str, str] | None = None,  # noqa: A002 - likewise
    model: checking.AnyPath | None = None,
    face: checking.AnyPath | None = None,
    face_detector: str = "ssd",
    confidence: float | None = None,
    face_size: int | None = None,
    tiles: str = "wide",
    min_face: float = 0,
    crop_margin: float | None = None,
    precision: str = "auto",
    merge: Mapping[str, str] | None = None,
    output: checking.AnyPath | None = None,
    compare: checking.AnyPath | None = None,
    gate: list[str] | tuple[str, ...] = (),
    tolerance: float = 0.01,
    other_data: bool = False,
    progress: Callable[[float, str], None] | None = None,
    log: Log | None = None,
) -> Evaluation:
    """Measures a model, as ``maskdet evaluate`` does, whose options the arguments are.

    Give one of `dataset`, `run`, `images` and `video`.

    Args:
        dataset: class folders: the classifier alone.
        run: folder of a training run: its model, unless `model` names another, on its pictures.
        part: which of the run's parts: ``train``, ``val`` or ``test``; ``None`` for ``test``.
        images: photographs, with `annotations`: both stages.
        annotations: folder of annotation files, or COCO's file.
        format: what these are: ``yolo``, ``voc``, ``coco``, ``medical-json`` or ``auto``.
        video: video, with `label`: everyone in it is in one state.
        label: what every face of the video is.
        track: whether the video's faces are followed.
        map: class to the name it is to have; an empty name leaves it out.
        model: see `maskdet.load`, as all up to `merge`.
        face: likewise.
        face_detector: likewise.
        confidence: likewise.
        face_size: likewise.
        tiles: likewise.
        min_face: likewise.
        crop_margin: likewise.
        precision: likewise.
        merge: likewise; classes of the data are merged as the labels are.
        output: folder of the report; ``None`` for a new folder ``runs/evaluate/<n>``.
        compare: an earlier ``report.json``.
        gate: figures that must not have got worse since; empty for the usual ones.
        tolerance: by how much they may.
        other_data: whether to compare with a report about other pictures all the same.
        progress: takes the share that is done, 0 to 1, and a short text.
        log: told what was assumed about a model of others; ``None`` for the logger ``maskdet``.

    Returns:
        Paths and figures. Figures that got worse are no error: see `Evaluation.worse`.

    Raises:
        DatasetError: the data cannot be used, or the earlier report is of another kind.
        ModelError: a network is missing, damaged or of another kind.
        OptionError: what is to be merged are none of the model's labels.
        SourceError: the video cannot be read.
        OutputError: the report cannot be written.
        TypeError: an argument is of another kind.
        ValueError: it is out of range, or goes with another that is missing.

    Examples:
        >>> import maskdet
        >>> print(maskdet.evaluate("faces", output="report"))
        Of 2 pictures 2 are labelled right.
    """
    subject = _subject(
        dataset=dataset,
        training_run=run,
        part=part,
        images=images,
        annotations=annotations,
        format_name=checking.choice("format", format, FORMATS),
        video=video,
        label=label,
        track=checking.flag("track", track),
        mapping={} if map is None else dict(map),
    )
    if gate and compare is None:
        raise ValueError("gate: needs compare, an earlier report")
    if checking.flag("other_data", other_data) and compare is None:
        raise ValueError("other_data: needs compare, an earlier report")
    options = EvaluateOptions(
        subject,
        checking.networks(
            model=model,
            face=face,
            face_detector=face_detector,
            confidence=confidence,
            face_size=face_size,
            tiles=tiles,
            min_face=min_face,
            crop_margin=crop_margin,
            precision=precision,
            merge=merge,
        ),
        None if output is None else checking.path("output", output),
        None if compare is None else checking.path("compare", compare),
        tuple(gate),
        checking.number("tolerance", tolerance),
        other_data,
    )
    done = evaluating.evaluate(options, show=progress or _no_progress, log=teller(log))
    figures = done.report.figures
    return Evaluation(
        done.folder,
        done.folder / evaluating.REPORT_FILE,
        done.folder / evaluating.PAGE_FILE,
        done.report.summary,
        {
            name: float(figure.value if isinstance(figure, Interval) else figure)
            for name, figure in figures.items()
        },
        {
            name: (figure.low, figure.high)
            for name, figure in figures.items()
            if isinstance(figure, Interval) and not math.isnan(figure.low)
        },
        done.report.problems,
        () if done.comparison is None else done.comparison.worse,
        done.report,
    )


def _no_progress(_: float, __: str) -> None:
    """Shows nothing."""


def _subject(
    *,
    dataset: Any,
    training_run: Any,
    part: str | None,
    images: Any,
    annotations: Any,
    format_name: str,
    video: Any,
    label: str | None,
    track: bool,
    mapping: Mapping[str, str],
) -> Subject:
    """Finds out what is to be evaluated, and refuses contradictions.

    Raises:
        ValueError: there are some.
    """
    given = {"dataset": dataset, "run": training_run, "images": images, "video": video}
    named = [name for name, value in given.items() if value is not None]
    if len(named) != 1:
        raise ValueError(
            f"expected one of dataset, run, images and video; got {' and '.join(named) or 'none'}"
        )
    for owner, name, value in (("images", "annotations", annotations), ("video", "label", label)):
        if (owner in named) != (value is not None):
            raise ValueError(f"{owner} and {name} go together; got one of them")
    if part is not None and training_run is None:
        raise ValueError("part: goes with run")
    if training_run is not None:
        if mapping:
            raise ValueError("map: does not go with run, whose labels are its model's")
        chosen = TEST if part is None else checking.choice("part", part, SPLITS)
        return RunPartOptions(checking.path("run", training_run), chosen)
    if dataset is not None:
        return FolderOptions(checking.path("dataset", dataset), mapping)
    if images is not None:
        photographs = checking.path("images", images)
        boxes = checking.path("annotations", annotations)
        return PhotographOptions(photographs, boxes, format_name, mapping)
    assert label is not None
    return VideoOptions(checking.path("video", video), label, track=track)
