"""The detector: pictures in, faces out; and whatever moves, frame by frame."""

import threading
from collections.abc import Generator, Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Literal, NoReturn, Self, overload

from maskdet.api import checking
from maskdet.api.afterwards import CLOSED, Afterwards
from maskdet.api.given import Reading, read_frame
from maskdet.api.logs import Log, noter, teller
from maskdet.api.results import Faces
from maskdet.api.watching import AnySource, stream_options, texts_of
from maskdet.detections import Detections
from maskdet.errors import SourceError
from maskdet.media.frames import Frame
from maskdet.media.inputs.options import ReadOptions
from maskdet.media.sources import open_sources
from maskdet.media.stages import in_thread
from maskdet.stream import StreamOptions, detect_frames
from maskdet.vision.networks import NetworkOptions, load_detector
from maskdet.vision.pipeline import MaskDetector

if TYPE_CHECKING:
    from maskdet.api.given import Given


class Detector:
    """Both networks, loaded: call it with a picture. `maskdet.load` makes one.

    Any number of threads may use one detector at a time, also while it is closed. A context
    manager: leaving it closes the detector. One that is not closed holds nothing but memory.

    Attributes:
        labels: the names of the classifier's classes.

    Examples:
        >>> import maskdet
        >>> detector = maskdet.load()
        >>> [str(faces) for faces in detector(["samples/astronaut.jpg", "samples/coffee.jpg"])]
        ['1 face: 1 No Mask', 'no faces']
        >>> for faces in detector.watch("samples/astronaut.mp4", max_frames=2):
        ...     print(faces.frame, faces)
        0 1 face: 1 No Mask
        1 1 face: 1 No Mask
    """

    labels: tuple[str, ...]

    def __init__(
        self,
        networks: NetworkOptions,
        reading: Reading,
        min_confidence: float | None = None,
        log: Log | None = None,
    ) -> None:
        self._log, self._note = teller(log), noter(log)
        self._options = networks
        self._reading = reading
        self._min_confidence = min_confidence
        self._networks: MaskDetector | None = load_detector(networks, log=self._log)
        self.labels = self._networks.labels
        self._afterwards = Afterwards(networks, self._networks.classifier, self._log)
        # Ends what is being watched.
        self._watched: set[threading.Event] = set()
        # A loop that was forgotten may be tidied up in the middle of what another method does.
        self._changing = threading.RLock()

    # The type of one text is also that of several.
    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, picture: "Given", *, rgb: bool = False
    ) -> Faces: ...

    @overload
    def __call__(
        self,
        picture: "Sequence[Given]",
        *,
        rgb: bool = False,
        return_exceptions: Literal[False] = False,
    ) -> list[Faces]: ...

    @overload
    def __call__(
        self,
        picture: "Sequence[Given]",
        *,
        rgb: bool = False,
        return_exceptions: bool,
    ) -> list[Faces | SourceError]: ...

    def __call__(
        self,
        picture: "Given | Sequence[Given]",
        *,
        rgb: bool = False,
        return_exceptions: bool = False,
    ) -> Faces | list[Faces] | list[Faces | SourceError]:
        """Finds the faces of a picture and tells who wears a mask.

        Args:
            picture: a path; an ``http(s)`` address; the bytes of a picture file; (H, W, 3) uint8 in
                OpenCV's order, BGR, not copied unless it must be; a Pillow image, turned upright by
                its EXIF orientation; or a list of these, several of which are worked on at a time.
            rgb: whether arrays are RGB; nothing else is changed by it.
            return_exceptions: of a list: puts the error of a picture that cannot be read in its
                place, instead of raising it.

        Returns:
            The faces, or for a list as many results in its order.

        Raises:
            SourceError: the picture is not there, or cannot be read; of a list it names which.
            TypeError: it is nothing that could be a picture.
            ValueError: an array of another shape or type, an empty list, or a closed detector.
        """
        checking.flag("rgb", rgb)
        checking.flag("return_exceptions", return_exceptions)
        networks = self._open()
        if not isinstance(picture, list | tuple):
            return self._detect(networks, read_frame(picture, self._reading, rgb=rgb))
        if not picture:
            raise ValueError("expected at least one picture, got an empty list")
        step = partial(self._detect_one_of, networks, rgb=rgb, keep=return_exceptions)
        workers = networks.faces.workers
        # None is read before its turn, so all may wait.
        work = in_thread(step, enumerate(picture), workers=workers, waiting=len(picture))
        with closing(work) as results:
            return list(results)

    def _detect_one_of(
        self, networks: MaskDetector, numbered: "tuple[int, Given]", *, rgb: bool, keep: bool
    ) -> Faces | SourceError:
        """Does what `__call__` does, for one of a list."""
        index, picture = numbered
        try:
            frame = read_frame(picture, self._reading, rgb=rgb)
        except (SourceError, TypeError, ValueError) as error:
            if keep and isinstance(error, SourceError):
                return error
            # What else is a ValueError may take other arguments.
            kind = ValueError if isinstance(error, ValueError) else type(error)
            raise kind(f"picture {index} of the list: {error}") from None
        return self._detect(networks, frame)

    def _detect(self, networks: MaskDetector, frame: Frame) -> Faces:
        detections = networks(frame.image)
        if self._min_confidence is not None:
            detections = detections.requiring(self._min_confidence)
        return self._faces(networks, frame, detections)

    def _faces(self, networks: MaskDetector, frame: Frame, detections: Detections) -> Faces:
        margin = networks.classifier.crop_margin
        return Faces(frame, detections, margin=margin, afterwards=self._afterwards)

    def watch(
        self,
        source: AnySource | Sequence[AnySource] = 0,
        *,
        max_frames: int | None = None,
        track: bool = True,
        width: int | None = None,
        gamma: float = 1.0,
        rotate: int = 0,
        recursive: bool = False,
        reconnect: int | None = None,
    ) -> Generator[Faces]:
        """Goes through a camera, video, stream, folder or pattern frame by frame, in order.

        Nothing is opened before the first frame is asked for. However the loop ends, by ``break``,
        an error or the last frame, the source is let go and its threads end. Of a live source each
        frame is the newest: those that come while the loop is busy are dropped.

        Args:
            source: as for ``maskdet detect``: a camera's number, a path, an address or a pattern;
                or a list of these, live ones read at once.
            max_frames: stop each source after so many; ``None`` for no limit.
            track: whether faces of moving sources are followed, which steadies their labels and
                gives each a `Face.track`.
            width: scale frames to this width first, 16 to 16384 pixels, which boxes then are of.
            gamma: brighten (2.0) or darken (0.5) frames first, 0.1 to 10.
            rotate: turn frames clockwise first, by 90, 180 or 270 degrees; the log says so where
                faces are found better at another turn.
            recursive: whether the folders of a folder are looked into.
            reconnect: attempts to open a lost camera or stream again; ``None`` for ever.

        Yields:
            The faces of each frame. A bad picture of a folder is told to the log and passed over.

        Raises:
            SourceError: the source is not there, or cannot be read; from the first frame on.
            TypeError: an argument is of another kind.
            ValueError: an argument is out of range, or the detector is closed.
        """
        networks = self._open()
        texts = texts_of(source)
        stream = stream_options(
            max_frames=max_frames,
            track=track,
            min_confidence=self._min_confidence,
            width=width,
            gamma=gamma,
            rotate=rotate,
        )
        stop = threading.Event()
        reading = ReadOptions(
            checking.flag("recursive", recursive),
            None if reconnect is None else checking.number("reconnect", reconnect),
            self._reading.timeout,
            self._log,
            stop,
            self._reading.max_pixels,
            note=self._note,
        )
        return self._watch(networks, texts, reading, stream)

    def _watch(
        self,
        networks: MaskDetector,
        texts: list[str],
        reading: ReadOptions,
        stream: StreamOptions,
    ) -> Generator[Faces]:
        stop = reading.stop
        with self._changing:
            self._open()
            self._watched.add(stop)
        try:
            sources = open_sources(texts, reading)
            with closing(detect_frames(sources, networks, stream, stop, self._log)) as results:
                try:
                    for seen in results:
                        yield self._faces(networks, seen.frame, seen.detections)
                        if stop.is_set():
                            break
                finally:
                    # Before the results are closed: a live source that waits for a frame must end.
                    stop.set()
            for failure in (failure for one in sources for failure in one.failures):
                self._log(failure)
        finally:
            with self._changing:
                self._watched.discard(stop)

    def close(self) -> None:
        """Lets go of the networks and ends what is being watched; calls under way are finished.

        May be called twice. What was found stays usable, but for heat maps and blurring.
        """
        with self._changing:
            for stop in list(self._watched):
                stop.set()
            self._networks = None
        self._afterwards.close()

    @property
    def closed(self) -> bool:
        """Whether it has been closed."""
        return self._networks is None

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __repr__(self) -> str:
        model = self._options.model or "the bundled model"
        return f"<Detector with {model}: {'closed' if self.closed else ', '.join(self.labels)}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a detector cannot be pickled, nor copied: its networks are in this process; call "
            "maskdet.load() in each process"
        )

    def _open(self) -> MaskDetector:
        networks = self._networks
        if networks is None:
            raise ValueError(CLOSED)
        return networks
