"""What the evaluate command can be asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from maskdet.class_folders.splits import TEST
from maskdet.vision.networks import NetworkOptions


@dataclass(frozen=True)
class FolderOptions:
    """An evaluation of the classifier on class folders.

    Attributes:
        kind: `Report.kind` of what comes of it.
        gate: `Report.gate` of it.
        dataset: the folder.
        mapping: class folder to one of the model's labels; an empty label leaves it out.
    """

    kind: ClassVar = "dataset"
    gate: ClassVar = ("balanced_accuracy",)

    dataset: Path
    mapping: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RunPartOptions:
    """An evaluation of a classifier on a part of the pictures of a training run.

    Attributes:
        kind: `Report.kind` of what comes of it.
        gate: `Report.gate` of it.
        run: folder of the run; its own model is measured unless another is named.
        part: one of `maskdet.class_folders.splits.SPLITS`.
    """

    kind: ClassVar = "dataset"
    gate: ClassVar = ("balanced_accuracy",)

    run: Path
    part: str = TEST


@dataclass(frozen=True)
class PhotographOptions:
    """An evaluation of both stages on boxed photographs.

    Attributes:
        kind: `Report.kind` of what comes of it.
        gate: `Report.gate` of it.
        images: folder of photographs.
        annotations: their boxes.
        format_name: one of `maskdet.annotations.FORMATS`.
        mapping: class name to one of the model's labels; an empty label leaves its faces out.
    """

    kind: ClassVar = "photographs"
    gate: ClassVar = ("f1", "mean_ap50")

    images: Path
    annotations: Path
    format_name: str = "auto"
    mapping: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class VideoOptions:
    """An evaluation on footage in which everyone is in one state.

    Attributes:
        kind: `Report.kind` of what comes of it.
        gate: `Report.gate` of it.
        video: the file.
        label: what every face in it is.
        track: whether faces are followed, as `maskdet detect` does.
    """

    kind: ClassVar = "video"
    gate: ClassVar = ("right_share",)

    video: Path
    label: str
    track: bool = True


Subject = FolderOptions | RunPartOptions | PhotographOptions | VideoOptions


@dataclass(frozen=True)
class EvaluateOptions:
    """A run of the command.

    Attributes:
        subject: what to evaluate on.
        networks: which networks.
        output: folder of the report; ``None`` takes the next free ``runs/evaluate/<n>``.
        compare: an earlier ``report.json``.
        gate: figures that must not have got worse since; empty takes the usual ones.
        tolerance: by how much they may.
        other_data: compare even with a report about other pictures.
    """

    subject: Subject
    networks: NetworkOptions = field(default_factory=NetworkOptions)
    output: Path | None = None
    compare: Path | None = None
    gate: tuple[str, ...] = ()
    tolerance: float = 0.01
    other_data: bool = False
