"""What a training run can be told: one frozen dataclass, which is also what `config.toml` holds."""

from dataclasses import dataclass
from pathlib import Path

from maskdet.errors import OutputError
from maskdet.train.options import RunOptions
from maskdet.train.output import check_output

PLAIN = ("small_cnn", "tiny_cnn")  # without a backbone, trained from scratch
ARCHITECTURES = (
    *("mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large", "efficientnet_v2_b0"),
    *PLAIN,
)
CLASS_WEIGHTS = ("balanced", "halfway", "none")
SCHEDULES = ("constant", "inverse-time", "cosine")
OPTIMIZERS = ("adam", "adamw", "sgd")
AUGMENTATION_NAMES = ("none", "classic", "light", "strong")
PRECISIONS = ("float32", "float16", "int8")
STRATEGIES = ("none", "mirrored", "multiworker")

BACKBONE_WEIGHTS = "models/mobilenet_v2_imagenet.weights.h5"


@dataclass(frozen=True)
class TrainOptions(RunOptions):
    """Everything that decides what a run does; two runs with equal options give equal models.

    Attributes of its own; see `RunOptions` for the others:
        dataset: folders of class folders, or of ``train/ val/ test/`` with class folders in them.
        output: name of the model to write, without suffix.
        validation: share of the pictures that picks the best epoch and the temperature.
        test: share of the pictures that is looked at once, at the end.
        split_file: the ``split.csv`` of a run, to divide the pictures as it did; those that it does
            not name go with their near-duplicates, else by the hash.
        naive_split: split at random as the usual scripts do, duplicates and all.
        repeats: runs with seeds from `seed` on, for mean and spread.
        folds: parts of which each validates once while the others train; 0 for none.
        fold: the one of these, from 1, that this run validates on; 0 for all in turn.
        class_weights: ``balanced`` makes the classes weigh the same over all dataset folders, and
            nearly the same within each; ``halfway`` between that and their counts; ``none``.
        max_bad: share of unreadable files beyond which the run stops.
        architecture: one of `ARCHITECTURES`.
        alpha: width of MobileNetV2, as a share of the usual.
        weights: ``imagenet``, ``none``, or a weights file of the backbone without top.
        from_model: an existing model to adapt instead.
        accept_worse: take the result even if it is worse than that model.
        head_units: width of the hidden layer of the head.
        dropout: share of its outputs that is dropped in training.
        image_size: side of the network's input in pixels; ``None`` is the architecture's own.
        epochs: passes with the backbone frozen (all passes, where nothing is pre-trained).
        views: augmented views of each picture that the frozen phase takes in turn, their backbone
            features computed once; 0 draws a new view, and new features, in every pass.
        fine_tune: further passes with the backbone unfrozen.
        fine_tune_from: layer from which up the backbone is unfrozen; ``all`` is all of it.
        fine_tune_rate: peak learning rate of these passes.
        coarse_epochs: how many of them, the first ones, run at `coarse_size`.
        coarse_size: a smaller input that makes a pass cheaper.
        batch_size: pictures a step.
        learning_rate: peak learning rate of the frozen phase.
        optimizer: one of `OPTIMIZERS`.
        schedule: one of `SCHEDULES`, how the rate falls in a phase; see
            `maskdet.train.classifier.schedules`.
        warm_up: share of a phase's steps in which the rate rises from zero.
        label_smoothing: share of the target that is spread over all classes.
        patience: passes without a better validation loss before a phase stops; 0 never stops it.
        augmentation: one of `AUGMENTATION_NAMES`; see `maskdet.train.classifier.augmentation`.
        crop_margin: margin around a face box that the card asks for at run time.
        deterministic: makes TensorFlow's own operations repeatable too, at some cost.
        mixed_precision: computes in float16 where the hardware gains from it.
        strategy: one of `STRATEGIES`.
        export: which of `PRECISIONS` to export; the default file is the best of these.
    """

    dataset: tuple[Path, ...]
    validation: float = 0.2
    test: float = 0.1
    split_file: Path | None = None
    naive_split: bool = False
    repeats: int = 1
    folds: int = 0
    fold: int = 0
    class_weights: str = "balanced"
    max_bad: float = 0.05
    architecture: str = "mobilenet_v2"
    alpha: float = 1.0
    weights: str = "imagenet"
    from_model: Path | None = None
    accept_worse: bool = False
    head_units: int = 128
    dropout: float = 0.5
    image_size: int | None = None
    epochs: int = 20
    views: int = 4
    fine_tune: int = 2
    fine_tune_from: str = "block_13_expand"
    fine_tune_rate: float = 1e-5
    coarse_epochs: int = 0
    coarse_size: int = 160
    batch_size: int = 32
    learning_rate: float = 1e-4
    optimizer: str = "adam"
    schedule: str = "cosine"
    warm_up: float = 0.0
    label_smoothing: float = 0.0
    patience: int = 5
    augmentation: str = "classic"
    crop_margin: float = 0.25
    deterministic: bool = False
    mixed_precision: bool = False
    strategy: str = "none"
    export: tuple[str, ...] = PRECISIONS

    @property
    def input_size(self) -> int:
        """Side of the network's input: as asked for, or the architecture's own."""
        return self.image_size or (124 if self.architecture in PLAIN else 224)

    @property
    def several(self) -> bool:
        """Whether this asks for more than one run: of several seeds, or of all folds."""
        return self.repeats > 1 or (self.folds > 0 and self.fold == 0)

    @property
    def pretrained_weights(self) -> str:
        """The backbone's first weights, ``imagenet`` or a file; empty for random ones.

        Of the backbones MobileNetV2 of the usual width alone comes with its weights.
        """
        if self.weights == "none" or self.architecture in PLAIN:
            return ""
        lacking = self.architecture != "mobilenet_v2" or self.alpha != 1
        return "" if self.weights == "imagenet" and lacking else self.weights

    @property
    def fine_tune_start(self) -> str:
        """Layer from which up the backbone is unfrozen: the usual one is MobileNetV2's alone."""
        usual = self.fine_tune_from == TrainOptions.fine_tune_from
        return "all" if usual and self.architecture != "mobilenet_v2" else self.fine_tune_from

    def check_output(self, *, resumed: bool) -> None:
        """Finds out before hours of training that the model could not be written.

        Args:
            resumed: whether the run may have written the model before.

        Raises:
            OutputError: its folder cannot be written to, or it is there and is not to be replaced.
        """
        output = self.output
        if output is None:
            return
        if output.is_dir():
            raise OutputError(
                f"{output}: is a folder; --output takes a name, such as {output}/mine"
            )
        names = [f"{output.name}{suffix}" for suffix in (".json", ".keras", ".tflite")]
        check_output(output.parent, names, overwrite=self.overwrite or resumed)
