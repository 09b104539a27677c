"""The hub's counters for Prometheus, by its conventions for names and units."""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector

from maskdet import __version__
from maskdet.serve.showing.status import CameraState, CameraStatus, Counters

Family = CounterMetricFamily | GaugeMetricFamily | InfoMetricFamily | SummaryMetricFamily


class HubMetrics(Collector):
    """Reads the counters when Prometheus asks.

    Args:
        cameras: gives the cameras as they are.
        counters: gives what the service has counted.
    """

    def __init__(
        self,
        cameras: Callable[[], Iterable[CameraStatus]],
        counters: Callable[[], Counters],
    ) -> None:
        self._cameras = cameras
        self._counters = counters

    def collect(self) -> Iterator[Family]:
        """Yields all of them."""
        yield InfoMetricFamily("maskdet", "The program.", value={"version": __version__})
        cameras = list(self._cameras())
        yield from _frames(cameras)
        yield from _states(cameras)
        yield from _people(cameras)
        yield from _service(self._counters())


def registry(
    cameras: Callable[[], Iterable[CameraStatus]], counters: Callable[[], Counters]
) -> CollectorRegistry:
    """Returns what `prometheus_client.generate_latest` writes: the hub and its process."""
    made = CollectorRegistry()
    ProcessCollector(registry=made)
    made.register(HubMetrics(cameras, counters))
    return made


def _frames(cameras: list[CameraStatus]) -> Iterator[Family]:
    read = _counter("camera_frames_read", "Frames that came.", "camera")
    seen = _counter("camera_frames_seen", "Frames that were looked at.", "camera")
    dropped = _counter(
        "camera_frames_dropped", "Frames that came while there was no time for them.", "camera"
    )
    reconnects = _counter("camera_reconnects", "How often the camera was lost.", "camera")
    latency = _gauge(
        "camera_latency_seconds",
        "From the newest frame's arrival till it could be shown.",
        "camera",
    )
    stages = SummaryMetricFamily(
        "maskdet_camera_stage_seconds",
        "How long each stage of a frame takes.",
        labels=("camera", "stage"),
    )
    for camera in cameras:
        name = [camera.name]
        read.add_metric(name, camera.frames_read)
        seen.add_metric(name, camera.frames_seen)
        dropped.add_metric(name, camera.frames_dropped)
        reconnects.add_metric(name, camera.reconnects)
        latency.add_metric(name, camera.latency)
        for stage, taken in camera.seconds.items():
            stages.add_metric([*name, stage], taken.count, taken.total)
    yield from (read, seen, dropped, reconnects, latency, stages)


def _states(cameras: list[CameraStatus]) -> Iterator[Family]:
    up = _gauge("camera_up", "Whether the camera is watched and nothing is wrong.", "camera")
    state = _gauge("camera_state", "1 for the state the camera is in.", "camera", "state")
    recording = _gauge("camera_recording", "Whether video is being written.", "camera")
    for camera in cameras:
        up.add_metric([camera.name], float(camera.state == CameraState.LIVE))
        recording.add_metric([camera.name], float(camera.recording))
        for one in CameraState:
            state.add_metric([camera.name, one.value], float(camera.state == one))
    yield from (up, state, recording)


def _people(cameras: list[CameraStatus]) -> Iterator[Family]:
    faces = _gauge("camera_faces", "Faces in the newest frame.", "camera", "label")
    seen = _counter("camera_faces_seen", "Faces in all frames.", "camera", "label")
    people = _gauge("camera_people_today", "People since midnight.", "camera", "label")
    crossings = _gauge(
        "camera_crossings_today",
        "People who crossed a line since midnight.",
        *("camera", "line", "direction", "label"),
    )
    for camera in cameras:
        for label in camera.labels:
            faces.add_metric([camera.name, label], camera.faces.get(label, 0))
            seen.add_metric([camera.name, label], camera.faces_seen.get(label, 0))
            people.add_metric([camera.name, label], camera.people_today.get(label, 0))
        for line, crossed in camera.crossings.items():
            for direction, counts in (("in", crossed.inward), ("out", crossed.outward)):
                for label, number in counts.items():
                    crossings.add_metric([camera.name, line, direction, label], number)
    yield from (faces, seen, people, crossings)


def _service(counters: Counters) -> Iterator[Family]:
    alerts = _counter("alerts", "Alerts that were raised.", "camera")
    for camera, number in counters.alerts.items():
        alerts.add_metric([camera], number)
    yield alerts
    for name, text, counts in (
        ("deliveries", "Alerts that arrived.", counters.delivered),
        ("delivery_failures", "Attempts to deliver an alert that failed.", counters.failed),
        ("deliveries_given_up", "Alerts that were too old or refused.", counters.given_up),
    ):
        family = _counter(name, text, "channel")
        for channel, number in counts.items():
            family.add_metric([channel], number)
        yield family
    waiting = _gauge("deliveries_waiting", "Alerts that wait to be delivered.", "channel")
    for channel, number in counters.waiting.items():
        waiting.add_metric([channel], number)
    yield waiting
    yield GaugeMetricFamily(
        "maskdet_disk_full",
        "Whether nothing is recorded for want of room.",
        value=float(counters.is_disk_full),
    )
    yield GaugeMetricFamily(
        "maskdet_stored_bytes",
        "What recordings, clips and snapshots take.",
        value=counters.stored_bytes,
    )


def _counter(name: str, text: str, *labels: str) -> CounterMetricFamily:
    return CounterMetricFamily(f"maskdet_{name}", text, labels=labels)


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"maskdet_{name}", text, labels=labels)
