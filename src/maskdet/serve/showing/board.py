"""What one camera has to show: written by its watcher, read by whoever looks."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from maskdet.serve.showing.live import LivePicture
from maskdet.serve.showing.status import CameraState, CameraStatus, Crossings, StageSeconds
from maskdet.serve.site.camera_settings import CameraSettings

# The frame rate is that of so many frames, or of so many seconds if those are fewer.
_RATE_FRAMES, _RATE_SECONDS = 50, 10.0


@dataclass
class _Crossed:
    inward: Counter[str] = field(default_factory=Counter)
    outward: Counter[str] = field(default_factory=Counter)


class Board:
    """A camera's newest picture, its state and its counters.

    Args:
        settings: the camera.
        labels: that faces can have.
        changed: called after every change, from whichever thread it was.
    """

    def __init__(
        self,
        settings: CameraSettings,
        labels: tuple[str, ...],
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.settings = settings
        self._labels = labels
        self._changed = changed
        self._condition = threading.Condition()
        self._picture: LivePicture | None = None
        self._state, self._reason = CameraState.STARTING, ""
        self._since = datetime.now().astimezone()
        self._read = self._seen = self._dropped = self._reconnects = 0
        self._shown_at: deque[float] = deque(maxlen=_RATE_FRAMES)
        self._latency = 0.0
        self._faces_seen: Counter[str] = Counter()
        self._people: Counter[str] = Counter()
        self._crossed: dict[str, _Crossed] = {line.name: _Crossed() for line in settings.lines}
        self._day = self._since.date()
        self._stages: dict[str, StageSeconds] = {}
        self._is_recording = False

    def set_state(self, state: CameraState, reason: str = "") -> bool:
        """Notes how the camera is; tells whether it was otherwise before."""
        with self._condition:
            if (state, reason) == (self._state, self._reason):
                return False
            is_new = state != self._state
            if is_new:
                self._since = datetime.now().astimezone()
            self._state, self._reason = state, reason
            if state is CameraState.DOWN and is_new:
                self._reconnects += 1
            self._condition.notify_all()
        self._changed()
        return is_new

    @property
    def state(self) -> CameraState:
        """How the camera is."""
        with self._condition:
            return self._state

    def count_read(self, *, dropped: bool) -> None:
        """Counts a frame that came, and one that nobody had looked at when it did."""
        with self._condition:
            self._read += 1
            self._dropped += dropped

    def publish(self, picture: LivePicture, latency: float, stages: dict[str, float]) -> None:
        """Shows a frame that was looked at.

        Args:
            picture: it.
            latency: seconds since it came.
            stages: seconds each stage took.
        """
        with self._condition:
            self._picture = picture
            self._seen += 1
            self._latency = latency
            self._shown_at.append(time.monotonic())
            self._faces_seen.update(picture.detections.predicted_labels)
            for name, seconds in stages.items():
                before = self._stages.get(name, StageSeconds())
                self._stages[name] = StageSeconds(before.count + 1, before.total + seconds)
            self._condition.notify_all()
        self._changed()

    def set_today(
        self, people: dict[str, int], crossed: Mapping[str, tuple[dict[str, int], dict[str, int]]]
    ) -> None:
        """Takes up, after a restart, who was there today.

        Args:
            people: by label.
            crossed: by line, who went in and out; of lines that there are no more, it is left out.
        """
        with self._condition:
            self._people = Counter(people)
            for line, (inward, outward) in crossed.items():
                if line in self._crossed:
                    self._crossed[line] = _Crossed(Counter(inward), Counter(outward))

    def add_people(self, people: Counter[str]) -> None:
        """Counts people who have come, by label."""
        with self._condition:
            self._turn_day()
            self._people += people

    def add_crossing(self, line: str, label: str, *, inward: bool) -> None:
        """Counts somebody who crossed a line."""
        with self._condition:
            self._turn_day()
            crossed = self._crossed.setdefault(line, _Crossed())
            (crossed.inward if inward else crossed.outward)[label] += 1

    def set_recording(self, is_recording: bool) -> None:
        """Notes whether video is being written."""
        with self._condition:
            self._is_recording = is_recording

    def _turn_day(self) -> None:
        today = datetime.now().astimezone().date()
        if today != self._day:
            self._day = today
            self._people.clear()
            for crossed in self._crossed.values():
                crossed.inward.clear()
                crossed.outward.clear()

    def picture(self, after: int = 0, timeout: float = 0.0) -> LivePicture | None:
        """Returns the newest picture, once there is one whose number is above another's.

        Args:
            after: number of the picture that is known already; 0 for none.
            timeout: for how long to wait, in seconds.

        Returns:
            It; ``None`` where none came in time.
        """
        with self._condition:
            self._condition.wait_for(lambda: self._is_newer(after), timeout)
            return self._picture if self._is_newer(after) else None

    def _is_newer(self, after: int) -> bool:
        return self._picture is not None and self._picture.number > after

    def status(self) -> CameraStatus:
        """Returns all there is to say, at one moment."""
        with self._condition:
            self._turn_day()
            picture = self._picture
            faces: Counter[str] = Counter()
            is_seen = self._state in (CameraState.LIVE, CameraState.SMALL_FACES)
            if picture is not None and is_seen:
                faces.update(picture.detections.predicted_labels)
            height, width = (0, 0) if picture is None else picture.image.shape[:2]
            return CameraStatus(
                name=self.settings.name,
                source=self.settings.public_source,
                state=self._state,
                reason=self._reason,
                since=self._since,
                width=width,
                height=height,
                frame_rate=round(self._frame_rate(), 2),
                frames_read=self._read,
                frames_seen=self._seen,
                frames_dropped=self._dropped,
                reconnects=self._reconnects,
                faces=dict(faces),
                faces_seen=dict(self._faces_seen),
                people_today=dict(self._people),
                crossings={
                    name: Crossings(dict(crossed.inward), dict(crossed.outward))
                    for name, crossed in self._crossed.items()
                },
                seconds=dict(self._stages),
                latency=self._latency,
                recording=self._is_recording,
                labels=self._labels,
            )

    def _frame_rate(self) -> float:
        now = time.monotonic()
        while self._shown_at and now - self._shown_at[0] > _RATE_SECONDS:
            self._shown_at.popleft()
        if len(self._shown_at) < 2:
            return 0.0
        spent = now - self._shown_at[0]
        return len(self._shown_at) / spent if spent > 0 else 0.0
