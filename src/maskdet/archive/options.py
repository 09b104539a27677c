"""What `maskdet archive` can be asked to do, and what of it may not change within a study."""

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from maskdet.media.inputs.decoding import MAX_PIXELS
from maskdet.stream import StreamOptions
from maskdet.vision.networks import NetworkOptions

PIECE_SECONDS = 300.0
# Tracks, their labels and the face detector's size have forgotten after so long where they began.
WARM_UP_SECONDS = 10.0


@dataclass(frozen=True)
class WorkOptions:
    """What is done to each video: the same for all of a study.

    Attributes:
        networks: which networks, at which confidence.
        stream: what else is done to frames.
        every: of so many frames one is looked at.
        key_frames: whether only the frames are looked at that the codec coded on their own.
        piece_seconds: longer videos are cut into pieces about so long.
        warm_up: seconds that are looked at before a piece begins, and not counted.
        max_pixels: larger videos are not read.
    """

    networks: NetworkOptions = field(default_factory=NetworkOptions)
    stream: StreamOptions = field(default_factory=StreamOptions)
    every: int = 1
    key_frames: bool = False
    piece_seconds: float = PIECE_SECONDS
    warm_up: float = WARM_UP_SECONDS
    max_pixels: int = MAX_PIXELS

    def to_json(self) -> dict[str, Any]:
        """Returns the options as a JSON-ready object, which `from_json` reads."""
        fields = asdict(self)
        networks = fields["networks"]
        # Whole paths, so that a study can be gone on with from any folder.
        for name in ("model", "face"):
            path = networks[name]
            if path is not None:
                networks[name] = str(path.absolute() if path.exists() else path)
        return fields

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "WorkOptions":
        """Reads what `to_json` wrote.

        Raises:
            TypeError: it names an option that this version does not have.
        """
        networks = dict(fields["networks"])
        for name in ("model", "face"):
            networks[name] = None if networks[name] is None else Path(networks[name])
        networks["merge"] = tuple((label, other) for label, other in networks["merge"])
        rest = {key: value for key, value in fields.items() if key not in ("networks", "stream")}
        return cls(NetworkOptions(**networks), StreamOptions(**fields["stream"]), **rest)

    @property
    def follows(self) -> bool:
        """Whether faces are followed from frame to frame; key frames lie too far apart."""
        return self.stream.track and not self.key_frames

    @property
    def stream_options(self) -> StreamOptions:
        """What is done to frames, as `maskdet.stream` takes it."""
        return replace(self.stream, track=self.follows)


@dataclass(frozen=True)
class ArchiveOptions:
    """What `maskdet archive` was asked to do.

    Attributes:
        sources: files, folders, patterns, lists and addresses that the user named.
        output: folder of the study, or its address.
        work: what is done to each video.
        workers: how many videos, or pieces, are worked on at a time; ``None`` for as many as there
            are cores and room.
        address: Ray's cluster; ``None`` for this machine alone.
        dashboard: whether Ray shows its page.
    """

    sources: tuple[str, ...]
    output: str
    work: WorkOptions = field(default_factory=WorkOptions)
    workers: int | None = None
    address: str | None = None
    dashboard: bool = False
