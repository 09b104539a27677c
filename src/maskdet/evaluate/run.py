"""A run of the evaluate command: measure, report, compare."""

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from maskdet.assets import read_card
from maskdet.cards.trained import trained_hashes
from maskdet.errors import OutputError
from maskdet.evaluate.comparing import Comparison, check_same_data, compare, read_earlier
from maskdet.evaluate.data import digest, model_of_run
from maskdet.evaluate.folders import evaluate_folders
from maskdet.evaluate.html import write_html
from maskdet.evaluate.options import (
    EvaluateOptions,
    FolderOptions,
    PhotographOptions,
    RunPartOptions,
)
from maskdet.evaluate.photographs import evaluate_photographs
from maskdet.evaluate.report import Report
from maskdet.evaluate.videos import evaluate_video
from maskdet.media.files import next_run_folder, replacing, write_json
from maskdet.vision.classifier import MaskClassifier
from maskdet.vision.foreign import find_or_convert_card
from maskdet.vision.networks import NetworkOptions

REPORT_FILE, PAGE_FILE = "report.json", "report.html"


@dataclass(frozen=True)
class Evaluated:
    """What a run came to.

    Attributes:
        report: the figures.
        folder: with ``report.json``, ``report.html`` and the plots.
        comparison: with the earlier report, if one was named.
    """

    report: Report
    folder: Path
    comparison: Comparison | None


def evaluate(
    options: EvaluateOptions,
    *,
    show: Callable[[float, str], None],
    log: Callable[[str], None] = lambda _: None,
) -> Evaluated:
    """Measures a model, writes the report and compares it with an earlier one.

    Args:
        options: what to evaluate.
        show: takes the fraction that is done and a short text.
        log: told what was assumed about a model of others.

    Raises:
        DatasetError: the data cannot be used, or the earlier report is of another kind.
        ModelError: a network is missing, damaged or of another kind.
        SourceError: a video cannot be read.
        OutputError: the report cannot be written.
    """
    if options.networks.model is None and isinstance(options.subject, RunPartOptions):
        own = model_of_run(options.subject.run)
        options = replace(options, networks=replace(options.networks, model=own))
    earlier = None
    if options.compare is not None:
        gate = options.gate or options.subject.gate
        earlier = read_earlier(options.compare, options.subject.kind, gate)
    data = digest(options.subject)
    if options.compare is not None and not options.other_data:
        check_same_data(options.compare, data)
    if options.output is not None:
        _check_place(options.output)
    card = find_or_convert_card(options.networks.model, log)
    # A run that fails leaves nothing, least of all new plots beside an old report.
    try:
        with tempfile.TemporaryDirectory() as name:
            made = Path(name)
            report = replace(_measure(options, card, made, show), data=data)
            if "trained on" in report.about:
                log(f"trained on: {report.about['trained on']}")
            comparison = None
            if earlier is not None:
                comparison = compare(
                    report, earlier, gate=options.gate, tolerance=options.tolerance
                )
                report = replace(report, tables=(comparison.table, *report.tables))
            write_json(made / REPORT_FILE, report.to_json())
            write_html(made / PAGE_FILE, report)
            output = _put(made, options.output)
    except OSError as error:
        place = error.filename or options.output or "the report"
        raise OutputError(f"{place}: cannot be written ({error.strerror or error})") from None
    return Evaluated(report, output, comparison)


def _check_place(folder: Path) -> None:
    """Finds out before the work whether a folder can be made.

    Raises:
        OutputError: a file is in its way, or it lies where nothing may be written.
    """
    nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        raise OutputError(f"{folder}: cannot be written, for {nearest}")


def _put(made: Path, given: Path | None) -> Path:
    """Copies what a run has made to where it belongs; returns the folder.

    Raises:
        OutputError: it cannot be written; a folder made for it is removed then.
    """
    fresh = given is None or not given.exists()
    output = given or next_run_folder("evaluate")
    try:
        for path in sorted(made.iterdir()):
            with replacing(output / path.name) as temporary:
                shutil.copyfile(path, temporary)
    except OutputError:
        if fresh:
            shutil.rmtree(output, ignore_errors=True)
        raise
    return output


def _measure(
    options: EvaluateOptions, card: Path, output: Path, show: Callable[[float, str], None]
) -> Report:
    subject, networks = options.subject, options.networks
    about: dict[str, str]
    if isinstance(subject, FolderOptions | RunPartOptions):
        classifier = MaskClassifier(
            card,
            precision=networks.precision,
            crop_margin=networks.crop_margin,
            named=networks.model,
            merge=networks.merge,
        )
        trained = trained_hashes(read_card(card))
        report = evaluate_folders(
            subject, classifier, output, merge=networks.merge, trained=trained, show=show
        )
        folder = subject.dataset if isinstance(subject, FolderOptions) else subject.run
        about = {"data": str(folder), "network": classifier.path.name}
    elif isinstance(subject, PhotographOptions):
        report = evaluate_photographs(subject, networks, output, show=show)
        about = {"data": str(subject.images)}
    else:
        report = evaluate_video(subject, networks, output, show=show)
        about = {"data": str(subject.video)}
    return replace(report, about={**about, **_networks(networks, card), **report.about})


def _networks(networks: NetworkOptions, card: Path) -> dict[str, str]:
    """Says which networks were used, and the options that differ from the usual."""
    usual = NetworkOptions()
    options = [
        f"{name} {value}"
        for name, value in vars(networks).items()
        if value != getattr(usual, name) and name not in ("model", "merge")
    ]
    options += [f"merge {label}={other}" for label, other in networks.merge]
    return {
        "model": card.stem,
        "options": ", ".join(options) or "the usual ones",
    }
