"""What was seen of a source, counted: faces and people by label, the share in a mask over time."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from maskdet.detections import MASK_LABEL, UNCERTAIN_LABEL, Detections
from maskdet.pace import Pace
from maskdet.wording import counted, label_text

# Buckets of time are as long as this at first, and are paired when there are too many, so that a
# run of months needs no more memory than one of minutes. Seconds; number.
FIRST_BUCKET = 1.0
MOST_BUCKETS = 600


@dataclass
class TimeLine:
    """Faces by label in buckets of time, or of pictures one after another.

    Attributes:
        width: seconds, or pictures, that a bucket covers.
        buckets: number of the bucket, from 0, to its faces by label.
    """

    width: float = FIRST_BUCKET
    buckets: dict[int, Counter[str]] = field(default_factory=dict)

    def add(self, time: float, labels: Iterable[str] | Counter[str]) -> None:
        """Counts the faces of one frame, `time` seconds after the source's first.

        Args:
            time: seconds, or the picture's number from 0.
            labels: each face's, or the number of faces by label.
        """
        self.buckets.setdefault(int(time / self.width), Counter()).update(labels)
        while max(self.buckets) >= MOST_BUCKETS:
            paired: dict[int, Counter[str]] = {}
            for number, faces in self.buckets.items():
                paired.setdefault(number // 2, Counter()).update(faces)
            self.buckets, self.width = paired, self.width * 2

    def rows(self) -> list[dict[str, Any]]:
        """Returns one JSON-ready object a bucket that saw a frame, in order of time."""
        return [
            {
                "from": number * self.width,
                "to": (number + 1) * self.width,
                "faces": dict(faces),
                "share_with_mask": share_with_mask(faces),
            }
            for number, faces in sorted(self.buckets.items())
        ]


def share_with_mask(faces: Counter[str]) -> float | None:
    """Returns masked faces as a share of those whose label is certain, ``None`` without any."""
    return share_of(MASK_LABEL, faces)


def share_of(label: str, faces: Counter[str]) -> float | None:
    """Returns the faces of a label as `share_with_mask` does those with a mask."""
    certain = faces.total() - faces[UNCERTAIN_LABEL]
    return round(faces[label] / certain, 4) if certain else None


@dataclass
class _Person:
    """A followed face: its last label, and where it was seen."""

    label: str = ""
    last_frame: int = 0
    last_time: float = 0.0
    sightings: int = 0


@dataclass
class Summary:
    """What was seen of one source.

    Attributes:
        source: its name.
        kind: what kind of source.
        is_moving: whether its frames follow one another in time.
        labels: the classifier's labels.
        frames: frames seen.
        faces: faces by label, over all frames.
        frames_with_faces: frames in which there was at least one.
        tracked: whether faces were followed, so that people can be counted.
        people: followed faces by the label they had last.
        time_line: faces by label over time, of pictures by their number.
        failures: one line for each thing that could not be read.
    """

    source: str
    kind: str
    is_moving: bool
    labels: tuple[str, ...]
    frames: int = 0
    faces: Counter[str] = field(default_factory=Counter)
    frames_with_faces: int = 0
    tracked: bool = False
    people: Counter[str] = field(default_factory=Counter)
    time_line: TimeLine = field(default_factory=TimeLine)
    failures: list[str] = field(default_factory=list)
    _current: dict[int, _Person] = field(default_factory=dict, repr=False)
    _pace: Pace = field(default_factory=Pace, repr=False)

    # A face counts as a person once it was seen in so many frames: a false alarm flashes up in one.
    _MIN_SIGHTINGS = 3
    # Tracks not seen for so many frames and so many seconds have ended, however fast or slowly the
    # frames come; counting them up keeps memory flat.
    _ENDED_AFTER, _ENDED_AFTER_SECONDS = 50, 10.0

    def add(self, detections: Detections, time: float) -> None:
        """Counts one frame, `time` seconds after the source's first."""
        labels = detections.predicted_labels
        self.time_line.add(time if self.is_moving else self.frames, labels)
        self.frames += 1
        self.frames_with_faces += len(detections) > 0
        self.faces.update(labels)
        if detections.tracks is not None or detections.lost is not None:
            self.tracked = True
            self._follow(detections, labels, self._pace.advance(time))

    def _follow(self, detections: Detections, labels: list[str], now: float) -> None:
        numbers = [] if detections.tracks is None else detections.tracks.tolist()
        for number, label in zip(numbers, labels, strict=True):
            person = self._current.setdefault(number, _Person())
            person.label, person.last_frame, person.last_time = label, self.frames, now
            person.sightings += 1
        if self.frames % self._ENDED_AFTER == 0:
            self._settle(self.frames - self._ENDED_AFTER, now - self._ENDED_AFTER_SECONDS)

    def _settle(self, frame: int, time: float) -> None:
        """Counts up the people not seen since a frame and a time."""
        ended = [
            number
            for number, person in self._current.items()
            if person.last_frame <= frame and person.last_time <= time
        ]
        for number in ended:
            person = self._current.pop(number)
            if person.sightings >= self._MIN_SIGHTINGS:
                self.people[person.label] += 1

    def finish(self) -> None:
        """Counts up the people who were still in view at the end."""
        self._settle(self.frames, self._pace.now)

    @property
    def all_labels(self) -> tuple[str, ...]:
        """The labels to list: the classifier's, and "uncertain" where there was such a face."""
        return (*self.labels, *([UNCERTAIN_LABEL] if self.faces[UNCERTAIN_LABEL] else []))

    def lines(self) -> list[str]:
        """Returns the figures as lines for people."""
        noun = "frame" if self.is_moving else "picture"
        kind = "" if noun in self.kind else f"{self.kind}, "
        head = f"{self.source}: {kind}{counted(self.frames, noun)}, "
        head += counted(self.faces.total(), "face")
        if self.frames > 1:
            head += f" in {self.frames_with_faces} of them"
        width = max(len(label_text(label)) for label in self.all_labels)
        unit = f" {'faces':>7}" + (f" {'people':>7}" if self.tracked else "")
        lines = [head, f"  {'':<{width}}{unit}"]
        for label in self.all_labels:
            row = f"  {label_text(label):<{width}} {self.faces[label]:>7}"
            lines.append(row + (f" {self.people[label]:>7}" if self.tracked else ""))
        return lines

    def to_json(self) -> dict[str, Any]:
        """Returns the figures as a JSON-ready object."""
        figures: dict[str, Any] = {
            "source": self.source,
            "kind": self.kind,
            "frames": self.frames,
            "frames_with_faces": self.frames_with_faces,
            "faces": {label: self.faces[label] for label in self.all_labels},
            "share_with_mask": share_with_mask(self.faces),
        }
        if self.tracked:
            figures["people"] = {label: self.people[label] for label in self.all_labels}
        if self.is_moving:
            figures["over_time"] = self.time_line.rows()
        return figures
