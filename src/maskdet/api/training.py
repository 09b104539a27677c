"""A model of one's own: `maskdet train` from Python."""

import difflib
import html
import inspect
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypedDict, Unpack, get_type_hints

import cv2

from maskdet import extras
from maskdet.api import checking
from maskdet.api.live import showing
from maskdet.api.logs import Log, noter
from maskdet.api.pictures import html_image
from maskdet.errors import OptionError
from maskdet.limits import TRAINING
from maskdet.train import config
from maskdet.train.classifier import options as known
from maskdet.train.classifier.options import TrainOptions

_CHOICES = {
    "class_weights": known.CLASS_WEIGHTS,
    "architecture": known.ARCHITECTURES,
    "optimizer": known.OPTIMIZERS,
    "schedule": known.SCHEDULES,
    "augmentation": known.AUGMENTATION_NAMES,
    "strategy": known.STRATEGIES,
}


class TrainSettings(TypedDict, total=False):
    """The options of ``maskdet train``; see `maskdet.train.classifier.options.TrainOptions`."""

    overwrite: bool
    run_dir: checking.AnyPath | None
    exclude_like: checking.AnyPath | list[str] | list[Path] | tuple[checking.AnyPath, ...]
    validation: float
    test: float
    split_file: checking.AnyPath | None
    naive_split: bool
    folds: int
    fold: int
    class_weights: str
    max_bad: float
    architecture: str
    alpha: float
    weights: checking.AnyPath
    from_model: checking.AnyPath | None
    accept_worse: bool
    head_units: int
    dropout: float
    image_size: int | None
    epochs: int
    views: int
    fine_tune: int
    fine_tune_from: str
    fine_tune_rate: float
    coarse_epochs: int
    coarse_size: int
    batch_size: int
    learning_rate: float
    optimizer: str
    schedule: str
    warm_up: float
    label_smoothing: float
    patience: int
    augmentation: str
    crop_margin: float
    seed: int
    deterministic: bool
    mixed_precision: bool
    strategy: str
    export: list[str] | tuple[str, ...]


@dataclass(frozen=True)
class Training:
    """What a training run came to. `maskdet.load` takes it for the model.

    Attributes:
        model: the model's card, beside its networks.
        folder: of the run, with its reports and plots.
        figures: by part, ``val`` and ``test``, what was measured.
        plots: pictures of the course of the run and of its mistakes.
        text: the figures, for reading.

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
        folder, asked = None, _options(dataset, output, dict(options))
    else:
        folder = checking.path("resume", resume)
        asked = _resumed(folder, {"dataset": dataset, "output": output, **options})
    say = noter(log)
    extras.require("train", "maskdet.train()")
    # TensorFlow takes seconds to load.
    from maskdet.train.quiet import import_tensorflow, same_log_handlers

    import_tensorflow()
    from maskdet.train.classifier import run

    with same_log_handlers(), showing(progress) as (show, passed):
        result = run.train(asked, say=say, show=show, resume=folder, passed=passed)
    plots = tuple(sorted(result.folder.glob("*.png")))
    return Training(result.card, result.folder, result.figures, plots, result.text)


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
    # Several runs in turn are the command's; each of them is a run of its own.
    own.pop("repeats", None)
    return _options(own.pop("dataset", None), own.pop("output", None), own)


def _options(dataset: Any, output: Any, given: dict[str, Any]) -> TrainOptions:
    """Checks what was given as the command line does.

    Raises:
        TypeError: there is no such option, or its value is of another kind.
        ValueError: a value is out of range.
    """
    kinds = get_type_hints(TrainOptions)
    for name in given:
        if name not in TrainSettings.__annotations__:
            near = difflib.get_close_matches(name, TrainSettings.__annotations__, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise TypeError(f"train() has no option {name!r}{hint}")
    folders = checking.paths("dataset", dataset)
    if not folders:
        raise ValueError("dataset: expected at least one folder, got an empty list")
    checked = {name: _checked(name, value, kinds[name]) for name, value in given.items()}
    where = None if output is None else checking.path("output", output)
    options = TrainOptions(folders, output=where, **checked)
    if options.epochs == 0 == options.fine_tune:
        raise ValueError("epochs and fine_tune: 0 and 0 leave nothing to do")
    if options.folds and not 1 <= options.fold <= options.folds:
        raise ValueError("fold: expected which of the folds validates, from 1; call once for each")
    if options.split_file and (options.naive_split or options.folds):
        raise ValueError("split_file: goes with neither naive_split nor folds")
    return options


def _checked(name: str, value: Any, kind: Any) -> Any:
    """Returns an option's value as `TrainOptions` holds it."""
    if value is None and type(None) in getattr(kind, "__args__", ()):
        return None
    if name in _CHOICES:
        return checking.choice(name, value, _CHOICES[name])
    if name == "export":
        words = value if isinstance(value, list | tuple) else [value]
        if not words:
            raise ValueError("export: expected at least one precision, got an empty list")
        return tuple(checking.choice(name, word, known.PRECISIONS) for word in words)
    if name == "exclude_like":
        return checking.paths(name, value)
    if name == "weights":
        return str(checking.path(name, value))
    if kind is bool:
        return checking.flag(name, value)
    if name in TRAINING:
        return checking.number(name, value, TRAINING[name])
    if kind is str:
        if not isinstance(value, str):
            raise TypeError(f"{name}: expected a text, got {checking.kind_of(value)}")
        return value
    return checking.path(name, value)


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
