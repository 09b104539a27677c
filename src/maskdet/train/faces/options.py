"""What a face training run can be told: one frozen dataclass, also what `config.toml` holds."""

from dataclasses import dataclass
from pathlib import Path

from maskdet.errors import OutputError
from maskdet.train.options import RunOptions
from maskdet.train.output import check_output

NAME = "ssd_faces"


@dataclass(frozen=True)
class FaceTrainOptions(RunOptions):
    """Everything that decides what a run does.

    Attributes of its own; see `RunOptions` for the others:
        images: folders of pictures, each with the annotations of the same position.
        annotations: their annotation files or folders. Boxes of every class are faces, save
            `ignored_labels`.
        format: one of `maskdet.annotations.FORMATS`.
        ignored_labels: classes whose boxes are neither learnt as faces nor as background, and not
            counted where they are found: faces too blurred or hidden to ask for.
        output: folder to write the detector to.
        from_face: face detector to go on from, with its weights file: a folder, ``original`` for
            the public network, ``None`` for the bundled one.
        validation: share of the first set's pictures that picks the best pass.
        per_set: most pictures of a set in a pass, others in the next; ``None`` takes all.
        sizes: sides of the input in training, pixels; each batch takes one of them.
        measured_sizes: sides at which the validation pictures are measured after a pass.
        passes: how often the pictures are gone through.
        batch_size: pictures a step at the smallest of the sizes.
        learning_rate: peak; rises over the first pass, then falls as a cosine.
        weight_decay: of AdamW, as a share of the learning rate.
        averaging: how much of the averaged weights is kept at each step; the average is measured
            and exported.
        patience: passes without a gain before the run stops; 0 never stops it.
        mixed_precision: computes in bfloat16, which recent processors multiply several times as
            fast.
    """

    images: tuple[Path, ...]
    annotations: tuple[Path, ...]
    format: str = "auto"
    ignored_labels: tuple[str, ...] = ()
    from_face: str | None = None
    validation: float = 0.12
    per_set: int | None = None
    sizes: tuple[int, ...] = (320,)
    measured_sizes: tuple[int, ...] = (320,)
    passes: int = 24
    batch_size: int = 16
    learning_rate: float = 3e-4
    weight_decay: float = 1e-4
    averaging: float = 0.998
    patience: int = 0
    mixed_precision: bool = False

    def check_output(self, *, resumed: bool) -> None:
        """Finds out before hours of training that the detector could not be written.

        Args:
            resumed: whether the run may have written the detector before.

        Raises:
            OutputError: its folder cannot be written to, or holds a detector.
        """
        if self.output is None:
            return
        cards = [path.name for path in self.output.glob("*.json")]
        others = [name for name in cards if name != f"{NAME}.json"]
        if others:
            # A detector's folder has one card, or it would not be known which is meant.
            raise OutputError(
                f"{self.output}: holds another model, {others[0]}; choose a new folder"
            )
        check_output(self.output, cards, overwrite=self.overwrite or resumed)
