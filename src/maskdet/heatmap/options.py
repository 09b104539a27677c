"""What `maskdet heatmap` can be asked to do."""

from dataclasses import dataclass, field
from pathlib import Path

from maskdet.heatmap.drawing.colours import DEFAULT_COLOUR_MAP
from maskdet.heatmap.methods.explainers import MapOptions
from maskdet.media.inputs.decoding import MAX_PIXELS
from maskdet.vision.networks import NetworkOptions

PANELS, CLASSIC = "panels", "classic"
RUN, FRAME = "run", "frame"


@dataclass(frozen=True)
class LookOptions:
    """How maps are drawn.

    Attributes:
        view: ``predicted``, ``difference`` or a label; ``None`` for the difference.
        normalise: `RUN` for one scale throughout, `FRAME` for one a frame.
        colormap: one of `maskdet.heatmap.drawing.colours.COLOUR_MAPS`.
        alpha: greatest weight of the map's colours over the face, 0 to 1.
        blur_kernel: side of a Gaussian over the enlarged map in pixels, odd; 0 for none.
        morphology: whether the enlarged map is eroded and dilated with a 2x2 kernel.
        size: side of a face in a panel, in pixels; ``None`` to fit the frame.
        layout: `PANELS` or `CLASSIC`.
    """

    view: str | None = None
    normalise: str = RUN
    colormap: str = DEFAULT_COLOUR_MAP
    alpha: float = 0.6
    blur_kernel: int = 0
    morphology: bool = False
    size: int | None = None
    layout: str = PANELS


@dataclass(frozen=True)
class HeatmapOptions:
    """What `maskdet heatmap` was asked to do.

    Attributes:
        sources: what the user named; see `maskdet.media.sources.open_sources`.
        networks: which networks, at which confidence.
        maps: how maps are computed.
        look: how they are drawn.
        recursive: whether folders are searched to the bottom.
        reconnect: attempts to open a lost camera or stream again; ``None`` for ever.
        timeout: seconds a server may be silent.
        max_pixels: larger pictures and videos are not read.
        output: file or folder to record to; ``None`` for a fresh ``runs/heatmap/<n>``.
        raw: ``.npz`` file for the maps themselves.
        overwrite: whether existing files may be replaced.
        show: whether to open a window; ``None`` for one if there is a camera and a display.
        frames: stop after so many; ``None`` for all of a file, 200 of a camera.
        frame_rate: of recorded video, in frames a second; ``None`` for the source's.
        width: scale frames to this width first, in pixels; ``None`` leaves them.
        rotate: turn frames clockwise by so many degrees before that.
    """

    sources: tuple[str, ...]
    networks: NetworkOptions = field(default_factory=NetworkOptions)
    maps: MapOptions = field(default_factory=MapOptions)
    look: LookOptions = field(default_factory=LookOptions)
    recursive: bool = False
    reconnect: int | None = None
    timeout: float = 10.0
    max_pixels: int = MAX_PIXELS
    output: Path | None = None
    raw: Path | None = None
    overwrite: bool = False
    show: bool | None = False
    frames: int | None = None
    frame_rate: float | None = None
    width: int | None = None
    rotate: int = 0
