"""`maskdet train`: class folders in, a model out."""

import contextlib
from pathlib import Path
from typing import Any

import click

from maskdet.assets import model_named
from maskdet.cli.common import log_some
from maskdet.cli.numbers import within
from maskdet.cli.sections import RARE, sections
from maskdet.cli.terminal import log, share_bar
from maskdet.cli.training import (
    FILE,
    FOLDER,
    check_alone,
    config_option,
    defaults_of,
    exclude_like_option,
    load_tensorflow,
    overwrite_option,
    resume_option,
    run_dir_option,
)
from maskdet.limits import TRAINING
from maskdet.train.classifier.options import (
    ARCHITECTURES,
    AUGMENTATION_NAMES,
    CLASS_WEIGHTS,
    OPTIMIZERS,
    PRECISIONS,
    SCHEDULES,
    STRATEGIES,
    TrainOptions,
)


def _named_or_file(_: click.Context, __: click.Parameter, value: str) -> str:
    """Makes a file's path absolute, so that a resumed run finds it; leaves the names alone."""
    return value if value in {"imagenet", "none"} else str(Path(value).absolute())


def _model_file(_: click.Context, __: click.Parameter, value: Path | None) -> Path | None:
    """Finds the model to adapt: a file, or the bundled model by its name wherever one stands."""
    if value is None:
        return None
    value = model_named(value, ".keras")
    # What is no name of a file at all is none that is there.
    with contextlib.suppress(OSError, ValueError):
        for path in (value, value.with_name(f"{value.name}.keras")):
            if path.is_file():
                return path
    raise click.BadParameter(f"{value}: no such file; mask_detector is the bundled model.")


def _number(name: str) -> "click.ParamType[Any]":
    """Returns the type of an option of `maskdet.limits.TRAINING`."""
    return within(TRAINING[name])


def _usual_folder() -> Path:
    """Returns the folder that is trained on unless another is named.

    Raises:
        UsageError: it holds no class folders.
    """
    folder = Path("dataset")
    if not folder.is_dir():
        raise click.UsageError("Name a folder of class folders: --dataset FOLDER.")
    if not any(part.is_dir() and not part.name.startswith(".") for part in folder.iterdir()):
        raise click.UsageError("dataset has no class folders; name a folder that has: --dataset.")
    return folder


_LAYOUT = {
    "Pictures": ("dataset", "exclude_like", "validation", "test", "split_file", "class_weights"),
    "Network": ("architecture", "from_model", "image_size", "weights", "head_units", "dropout"),
    "Training": (
        *("config", "epochs", "fine_tune", "batch_size", "learning_rate", "fine_tune_rate"),
        *("schedule", "fine_tune_from", "augmentation", "patience", "seed", "repeats", "folds"),
        *("resume", "preview"),
    ),
    "Results": ("output", "overwrite", "run_dir", "export"),
    RARE: (
        *("naive_split", "max_bad", "views", "coarse_epochs", "coarse_size", "optimizer"),
        *("warm_up", "label_smoothing", "crop_margin", "deterministic", "mixed_precision"),
        *("strategy", "alpha", "accept_worse", "fold"),
    ),
}


@defaults_of(TrainOptions)
@sections(_LAYOUT)
@config_option
@click.option(
    "--dataset",
    type=FOLDER,
    multiple=True,
    help="Folder of class folders, or of train/ val/ test/ with class folders in them. Repeatable. "
    "[default: dataset]",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Name of the model to write, such as models/mask_detector. [default: in the run's folder]",
)
@overwrite_option
@run_dir_option
@resume_option
@click.option("--preview", type=click.Path(path_type=Path), help="Write augmented views and stop.")
@exclude_like_option
@click.option(
    "--validation",
    type=_number("validation"),
    help="Share of the pictures that picks the best pass, of folders that are not divided yet.",
)
@click.option("--test", type=_number("test"), help="Share that is looked at once, at the end.")
@click.option(
    "--split",
    "split_file",
    type=FILE,
    help="The split.csv of a run: divide the pictures as it did, new ones as usual.",
)
@click.option("--naive-split", is_flag=True, help="Split at random: near-duplicates leak.")
@click.option(
    "--class-weights",
    type=click.Choice(CLASS_WEIGHTS),
    help="Whether rare classes count more: so that all weigh the same, or halfway there.",
)
@click.option(
    "--max-bad", type=_number("max_bad"), help="Share of unreadable files that is put up with."
)
@click.option("--architecture", type=click.Choice(ARCHITECTURES), help="Network to train.")
@click.option(
    "--alpha",
    type=_number("alpha"),
    help="Width of MobileNetV2, as a share of the usual.",
)
@click.option(
    "--weights",
    metavar="imagenet|none|FILE",
    callback=_named_or_file,
    help="First weights of the backbone; other networks than MobileNetV2 have no imagenet here, "
    "and begin at random.",
)
@click.option(
    "--from",
    "from_model",
    type=click.Path(path_type=Path),
    callback=_model_file,
    help="Model to adapt: .keras, or HDF5 (.h5, .model); mask_detector is the bundled one.",
)
@click.option("--accept-worse", is_flag=True, help="Take the result even if --from was better.")
@click.option("--head-units", type=_number("head_units"), help="Width of the head's hidden layer.")
@click.option(
    "--dropout", type=_number("dropout"), help="Share of its outputs dropped in training."
)
@click.option(
    "--image-size",
    type=_number("image_size"),
    help="Side of the input in pixels. [default: the architecture's own]",
)
@click.option("--epochs", type=_number("epochs"), help="Passes with the backbone frozen.")
@click.option(
    "--views", type=_number("views"), help="Views a picture these take in turn; 0: always new."
)
@click.option(
    "--fine-tune", type=_number("fine_tune"), help="Further passes with the backbone unfrozen."
)
@click.option("--fine-tune-from", metavar="LAYER|all", help="Layer from which it is unfrozen.")
@click.option(
    "--fine-tune-rate", type=_number("fine_tune_rate"), help="Peak learning rate of these passes."
)
@click.option(
    "--coarse-epochs", type=_number("coarse_epochs"), help="How many of these run at --coarse-size."
)
@click.option("--coarse-size", type=_number("coarse_size"), help="Their side in pixels.")
@click.option("--batch-size", type=_number("batch_size"), help="Pictures a step.")
@click.option(
    "--learning-rate", type=_number("learning_rate"), help="Peak learning rate of the first passes."
)
@click.option("--optimizer", type=click.Choice(OPTIMIZERS), help="How weights follow gradients.")
@click.option(
    "--schedule",
    type=click.Choice(SCHEDULES),
    help="How the rate goes: as it is, hardly falling as in the usual scripts, or to zero.",
)
@click.option(
    "--warm-up", type=_number("warm_up"), help="Share of a phase in which the rate rises."
)
@click.option(
    "--label-smoothing",
    type=_number("label_smoothing"),
    help="Share of a label spread over all classes.",
)
@click.option(
    "--patience", type=_number("patience"), help="Passes without a gain before stopping; 0: never."
)
@click.option(
    "--augmentation",
    type=click.Choice(AUGMENTATION_NAMES),
    help="How views differ from their pictures; --preview shows it.",
)
@click.option(
    "--crop-margin", type=_number("crop_margin"), help="Margin around a face box at run time."
)
@click.option("--seed", type=_number("seed"), help="Of split, first weights, order and views.")
@click.option(
    "--repeats",
    type=_number("repeats"),
    help="Runs with seeds from --seed on, for mean and spread.",
)
@click.option("--folds", type=_number("folds"), help="Cross-validation in so many parts; 0: none.")
@click.option("--fold", type=_number("fold"), help="Train this one of --folds alone; 0: all.")
@click.option("--deterministic", is_flag=True, help="Repeatable to the bit, at some cost.")
@click.option("--mixed-precision", is_flag=True, help="Compute in float16, for a GPU.")
@click.option(
    "--export",
    type=click.Choice(PRECISIONS),
    multiple=True,
    help="TFLite files to write; the best becomes the default one. Repeatable.",
)
@click.option("--strategy", type=click.Choice(STRATEGIES), help="Several GPUs, or machines.")
def train(resume: Path | None, preview: Path | None, **given: Any) -> None:
    """Train a mask classifier on your own pictures.

    Ctrl-C ends a run early: the best pass so far is exported, and --resume goes on.
    """
    if resume is not None:
        check_alone(resume)
    given["dataset"] = given["dataset"] or (_usual_folder(),)
    if given["epochs"] == 0 == given["fine_tune"]:
        raise click.UsageError("--epochs 0 and --fine-tune 0 leave nothing to do.")
    options = TrainOptions(**given)
    _check(options)
    if preview is None:
        # Now, not when TensorFlow has started, which takes seconds.
        options.check_output(resumed=resume is not None)
    load_tensorflow(f"training on {', '.join(map(str, options.dataset))}; starting TensorFlow")
    from maskdet.train.classifier.run import draw_preview, train

    if preview is not None:
        log_some(draw_preview(options, preview), None)
        click.echo(preview)
        return
    with share_bar() as show:
        if options.several:
            from maskdet.train.classifier.repeats import train_all

            click.echo(train_all(options, say=log, show=show, resume=resume).text)
            return
        result = train(options, say=log, show=show, resume=resume)
    click.echo(result.text)


def _check(options: TrainOptions) -> None:
    """Refuses options that contradict one another.

    Raises:
        UsageError: they do.
    """
    if options.repeats > 1 and options.folds:
        raise click.UsageError("Give one of --repeats and --folds.")
    if options.folds == 1 or options.fold > options.folds:
        raise click.UsageError("--folds takes 2 or more, and --fold one of them.")
    if (options.repeats > 1 or options.folds) and options.output:
        raise click.UsageError(
            "--output is for one run; each of several leaves its model in its folder."
        )
    if options.split_file and (options.naive_split or options.folds):
        raise click.UsageError("--split goes with neither --naive-split nor --folds.")
    if options.naive_split and options.folds:
        raise click.UsageError("--naive-split does not go with --folds.")
    if options.alpha != 1 and options.architecture != "mobilenet_v2":
        raise click.UsageError("--alpha is the width of mobilenet_v2 alone.")
    if options.accept_worse and options.from_model is None:
        raise click.UsageError("--accept-worse goes with --from.")
