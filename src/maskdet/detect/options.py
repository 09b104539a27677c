"""What `maskdet detect` can be asked to do."""

from dataclasses import dataclass, field
from pathlib import Path

from maskdet.alerts.options import AlertOptions
from maskdet.media.inputs.decoding import MAX_PIXELS
from maskdet.stream import StreamOptions
from maskdet.vision.networks import NetworkOptions


@dataclass(frozen=True)
class DetectOptions:
    """What `maskdet detect` was asked to do.

    Attributes:
        sources: what the user named; see `maskdet.media.sources.open_sources`.
        networks: which networks, at which confidence.
        stream: what else is done to frames.
        recursive: whether folders are searched to the bottom.
        reconnect: attempts to open a lost camera or stream again; ``None`` for ever.
        timeout: seconds a server may be silent.
        max_pixels: larger pictures and videos are not read.
        output: folder or file; ``None`` for a fresh ``runs/detect/<n>``.
        save: whether annotated pictures or video are written at all.
        overwrite: whether existing files may be replaced.
        skip_existing: whether sources whose output exists in `output` are left out.
        append: whether existing records are gone on with, and other existing files stay, those of
            this run getting numbers.
        json: file for JSON lines, ``-`` for standard output.
        csv: file for CSV rows, ``-`` for standard output.
        crops: folder for face crops, one folder a label.
        blur: whether faces are made unrecognisable in what is written and shown.
        summary: file for the run's figures as JSON, ``-`` for standard output.
        plot: file for a plot of the share wearing a mask over time, or by picture.
        grid: file for a contact sheet of the annotated pictures.
        show: whether to open a window; ``None`` for one if there is a camera and a display.
        verbose: whether to say what is seen in every frame.
        fail_on: labels whose being seen makes the run fail.
        alerts: who is told of which faces.
        explain_threshold: share of the evidence outside the face box beyond which a face is
            flagged in the records; ``None`` for not looking.
    """

    sources: tuple[str, ...]
    networks: NetworkOptions = field(default_factory=NetworkOptions)
    stream: StreamOptions = field(default_factory=StreamOptions)
    recursive: bool = False
    reconnect: int | None = None
    timeout: float = 10.0
    max_pixels: int = MAX_PIXELS
    output: Path | None = None
    save: bool = True
    overwrite: bool = False
    skip_existing: bool = False
    append: bool = False
    json: Path | None = None
    csv: Path | None = None
    crops: Path | None = None
    blur: bool = False
    summary: Path | None = None
    plot: Path | None = None
    grid: Path | None = None
    show: bool | None = False
    verbose: bool = False
    fail_on: tuple[str, ...] = ()
    alerts: AlertOptions = field(default_factory=AlertOptions)
    explain_threshold: float | None = None
