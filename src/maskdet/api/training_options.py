"""The options of `maskdet.train`, checked as the command line checks its own."""

import difflib
from pathlib import Path
from typing import Any, TypedDict, get_type_hints

from maskdet.api import checking
from maskdet.limits import TRAINING
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
    repeats: int
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


def checked_options(dataset: Any, output: Any, given: dict[str, Any]) -> TrainOptions:
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
    refusal = _refusal(options)
    if refusal:
        raise ValueError(refusal)
    return options


def _refusal(options: TrainOptions) -> str:
    """Says which options contradict one another; empty where none do."""
    several = options.repeats > 1 or options.folds
    refusals = {
        "epochs and fine_tune: 0 and 0 leave nothing to do": (
            options.epochs == 0 == options.fine_tune
        ),
        "repeats and folds: expected one of them": options.repeats > 1 and options.folds,
        "folds: expected 2 or more, and fold one of them": (
            options.folds == 1 or options.fold > options.folds
        ),
        "output: is for one run; each of several leaves its model in its folder": (
            several and options.output
        ),
        "split_file: goes with neither naive_split nor folds": (
            options.split_file and (options.naive_split or options.folds)
        ),
        "naive_split: does not go with folds": options.naive_split and options.folds,
        "alpha: is the width of mobilenet_v2 alone": (
            options.alpha != 1 and options.architecture != "mobilenet_v2"
        ),
        "accept_worse: goes with from_model": options.accept_worse and options.from_model is None,
    }
    return next((text for text, wrong in refusals.items() if wrong), "")


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
