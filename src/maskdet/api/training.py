"""A model of one's own: `maskdet train` from Python."""

import html
import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Unpack

import cv2

from maskdet import extras
from maskdet.api import checking
from maskdet.api.live import showing
from maskdet.api.logs import Log, noter
from maskdet.api.pictures import html_image
from maskdet.api.training_options import TrainSettings, checked_options
from maskdet.errors import OptionError
from maskdet.train import config
from maskdet.train.classifier.options import TrainOptions


@dataclass(frozen=True)
class Training:
    """What a training run came to. `maskdet.load` takes it for the model.

    Attributes:
        model: the model's card, beside its networks; of several runs, the first one's.
        folder: of the run, with its reports and plots; of several, with a folder for each.
        figures: by part, ``val`` and ``test``, what was measured; of several runs, each one's
            value, their mean and their standard deviation.
        plots: pictures of the course of the run and of its mistakes; none of several runs.
        text: the figures, for reading.
        models: the cards of all runs: more than one with ``repeats`` or ``folds``.

    Examples:
        >>> import maskdet
        >>> made = maskdet.train("faces", output="models/mine", epochs=5)  # doctest: +SKIP
        >>> detector = maskdet.load(made)  # doctest: +SKIP
    """

    model: Path
    folder: Path
    figures: Mapping[str, Any]
    plots: tuple[Path, ...]
    text: str
    models: tuple[Path, ...]

    def __fspath__(self) -> str:
        return os.fspath(self.model)

    def __str__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        pictures = [cv2.imread(str(path)) for path in self.plots]
        shown = "".join(html_image(picture) for picture in pictures if picture is not None)
        return f"<pre>{html.escape(self.text)}</pre>{shown}"


def train(
    dataset: checking.AnyPath | list[str] | list[Path] | tuple[checking.AnyPath, ...] | None = None,
    *,
    output: checking.AnyPath | None = None,
    resume: checking.AnyPath | None = None,
    progress: Callable[[float, str], None] | None = None,
    log: Log | None = None,
    **options: Unpack[TrainSettings],
) -> Training:
    """Trains a classifier on class folders, as ``maskdet train`` does.

    Needs TensorFlow: ``pip install 'maskdet[train]'``. Ctrl-C ends a run early: the best pass so
    far becomes the model, and `resume` goes on. A notebook shows how far it is, and the curves.

    Args:
        dataset: folder of class folders such as ``with_mask/`` and ``without_mask/``, or of
            ``train/ val/ test/`` with class folders in them; or a list of these.
        output: name of the model to write, without suffix; ``None`` leaves it in the run's folder.
        resume: folder of an interrupted run, which goes on with its own data set and options to the
            result it would have had; nothing but `progress` and `log` may be given with it.
        progress: takes the share of a step that is done, 0 to 1, and a short text; ``None`` shows
            it in a notebook, and nowhere else.
        log: told how it goes, a line at a time; ``None`` for the logger ``maskdet``.
        **options: the other options of ``maskdet train``, by the same names with underscores
            (``--from`` is ``from_model``): ``epochs``, ``fine_tune``, ``seed``, ``overwrite`` ...
            ``repeats``, or ``folds`` without ``fold``, make several runs.

    Returns:
        Paths and figures.

    Raises:
        DatasetError: the pictures cannot teach what was asked.
        MissingExtraError: TensorFlow is not installed.
        OptionError: `resume` names no run.
        OutputError: something cannot be written, or is there and is not to be replaced.
        TypeError: there is no such option, or its value is of another kind.
        ValueError: a value is out of range.

    Examples:
        >>> import maskdet
        >>> made = maskdet.train("faces", output="models/mine", epochs=5)  # doctest: +SKIP
        >>> made.figures["test"]["accuracy"]["value"]  # doctest: +SKIP
        0.98
    """
    if resume is None:
        folder, asked = None, checked_options(dataset, output, dict(options))
    else:
        folder = checking.path("resume", resume)
        asked = _resumed(folder, {"dataset": dataset, "output": output, **options})
    say = noter(log)
    extras.require("train", "maskdet.train()")
    # TensorFlow takes seconds to load.
    from maskdet.train.quiet import import_tensorflow, same_log_handlers

    import_tensorflow()
    from maskdet.train.classifier import repeats, run

    with same_log_handlers(), showing(progress) as (show, passed):
        if asked.several:
            all_runs = repeats.train_all(asked, say=say, show=show, resume=folder, passed=passed)
            cards = all_runs.models
            return Training(cards[0], all_runs.folder, all_runs.figures, (), all_runs.text, cards)
        result = run.train(asked, say=say, show=show, resume=folder, passed=passed)
    plots = tuple(sorted(result.folder.glob("*.png")))
    card = result.card
    return Training(card, result.folder, result.figures, plots, result.text, (card,))


def _resumed(folder: Path, given: Mapping[str, Any]) -> TrainOptions:
    """Returns the options of an interrupted run.

    Raises:
        MaskdetError: it is no run, or its options cannot be read.
        TypeError: there were others beside it, or one of its own is of another kind.
        ValueError: one of its own is out of range.
    """
    others = [name for name, value in given.items() if value is not None]
    if others:
        raise TypeError(f"resume: the run has its own options; leave out {', '.join(others)}")
    path = folder / config.FILE
    if not path.is_file():
        raise OptionError(f"{folder}: is no run, it holds no {config.FILE}")
    own = config.read(path, TrainOptions)
    return checked_options(own.pop("dataset", None), own.pop("output", None), own)


def _signature() -> inspect.Signature:
    """Returns `train`'s signature with all options and their defaults, for help and editors."""
    own = inspect.signature(train).parameters
    named = [item for item in own.values() if item.kind is not inspect.Parameter.VAR_KEYWORD]
    defaults = {field.name: field.default for field in fields(TrainOptions)}
    others = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=defaults[name], annotation=annotation
        )
        for name, annotation in TrainSettings.__annotations__.items()
    ]
    return inspect.Signature([*named, *others], return_annotation=Training)


train.__signature__ = _signature()  # type: ignore[attr-defined]
