"""What the user may say of how sources are read."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from maskdet.media.inputs.decoding import MAX_PIXELS


@dataclass(frozen=True)
class ReadOptions:
    """How sources are read.

    Attributes:
        recursive: whether folders are searched to the bottom.
        reconnect: attempts to open a lost camera or stream again; ``None`` for ever.
        timeout: seconds a server may be silent.
        log: told, a line at a time, when a live source is lost and found.
        stop: ends live sources when set.
        max_pixels: larger pictures and videos are not read.
        own: folders that the run is to write into; what is there from an earlier one is no source.
        name_all: whether all that is passed over in folders is named, each in a line.
        note: told what is passed over in folders, a line or two each; ``None`` for telling `log`.
        several: whether there are other sources, for which one that is not there is not waited.
        rate: frames a second of cameras and streams that are of use; the others are not made
            pictures of. ``None`` for all.
    """

    recursive: bool = False
    reconnect: int | None = None
    timeout: float = 10.0
    log: Callable[[str], None] = lambda _: None
    stop: threading.Event = field(default_factory=threading.Event)
    max_pixels: int = MAX_PIXELS
    own: tuple[Path, ...] = ()
    name_all: bool = False
    note: Callable[[str], None] | None = None
    several: bool = False
    rate: float | None = None
