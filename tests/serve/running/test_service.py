"""The whole service without its page: from a frame to an alert, over reloads and restarts."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from maskdet.errors import OutputError
from maskdet.media.inputs.options import ReadOptions
from maskdet.serve.running import service as running
from maskdet.serve.running.service import Service
from maskdet.serve.showing.status import CameraState, Crossings
from maskdet.serve.site.camera_settings import CameraAlerts, Line, RecordingSettings
from maskdet.serve.site.reading import site_of_sources
from maskdet.serve.site.settings import NotificationSettings, Site
from maskdet.serve.storing.counts import Tally
from maskdet.serve.storing.store import Store
from maskdet.serve.watching.networks import Networks
from watched_cameras import ScriptedCamera, wait_for

Image = NDArray[np.uint8]


class Street:
    """A service whose cameras the test holds in its hands."""

    def __init__(self, folder: Path, networks: Networks) -> None:
        self.cameras = {"door": ScriptedCamera(), "gate": ScriptedCamera()}
        self.said: list[str] = []
        self._networks = networks
        site = site_of_sources(["door=0", "gate=1"], folder)
        at_once = CameraAlerts(after=0)
        self.site = replace(
            site, cameras=tuple(replace(camera, alerts=at_once) for camera in site.cameras)
        )

    def open(self, text: str, options: ReadOptions) -> Any:
        """Opens the camera of a name."""
        return self.cameras[text.partition("=")[0]].open(text, options)

    def service(self, site: Site | None = None) -> Service:
        """Makes the service."""
        return Service(site or self.site, self.said.append, self._networks, self.open)


@pytest.fixture
def street(tmp_path: Path, networks: Networks) -> Street:
    """Two cameras."""
    return Street(tmp_path / "site", networks)


@pytest.fixture
def bare(samples: Path) -> Image:
    """A small picture of a bare face."""
    return cv2.resize(cv2.imread(str(samples / "astronaut.jpg")), (240, 240))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock ticks faster."""
    monkeypatch.setattr(running, "_TICK", 0.02)
    monkeypatch.setattr(running, "_WRITE", 0.05)


def seen(service: Service, name: str) -> Callable[[], int]:
    """Returns what tells how many frames of a camera were looked at."""

    def count() -> int:
        status = service.hub.camera(name)
        return 0 if status is None else status.frames_seen

    return count


def test_a_face_becomes_an_event_with_a_blurred_picture(street: Street, bare: Image) -> None:
    """One alert, counted; the snapshot shows the box and not the face; counts reach the disk."""
    with street.service() as service:
        for _ in range(3):
            street.cameras["door"].show(bare)
        wait_for(lambda: service.store.events())
        (event,) = service.store.events()
        path = service.store.snapshot_path(event.id)
        assert path is not None
        picture = cv2.imread(str(path))
        left, top, right, bottom = (int(side) for side in event.record["face"]["box"])
        inside = np.s_[top + 8 : bottom - 8, left + 8 : right - 8]
        sharp = cv2.Laplacian(bare[inside], cv2.CV_64F).std()
        assert cv2.Laplacian(picture[inside], cv2.CV_64F).std() < sharp / 4
        assert service.hub.counters.alerts == {"door": 1}
        street.cameras["gate"].show(bare)
        wait_for(lambda: service.hub.is_ready)
        wait_for(lambda: seen(service, "gate")() == 1)
        total = seen(service, "door")()
    again = street.service()
    begin = event.time.replace(hour=0, minute=0)
    frames = sum(
        b.frames for b in again.store.statistics(begin, begin.replace(hour=23), camera="door")
    )
    assert frames == total
    again.close()


def test_a_new_site_keeps_what_has_not_changed(street: Street, bare: Image) -> None:
    """A camera that is in both is not opened again; one that has changed, or is new, is."""
    with street.service() as service:
        for camera in street.cameras.values():
            camera.show(bare)
        wait_for(lambda: seen(service, "gate")() and seen(service, "door")())
        door, gate = street.site.cameras
        street.cameras["yard"] = ScriptedCamera()
        turned = replace(gate, rotate=180)
        site = replace(street.site, cameras=(replace(door, name="yard"), door, turned))
        service.reload(site)
        assert [camera.name for camera in service.hub.cameras()] == ["yard", "door", "gate"]
        street.cameras["yard"].show(bare)
        street.cameras["gate"].show(bare)
        street.cameras["door"].show(bare)
        wait_for(lambda: seen(service, "yard")() and seen(service, "gate")())
        openings = {name: camera.openings for name, camera in street.cameras.items()}
        assert openings == {"door": 1, "gate": 2, "yard": 1}
        service.reload(replace(site, cameras=(door,)))
        assert service.hub.camera("gate") is None
        street.cameras["door"].show(bare)
        service.reload(replace(site, cameras=(door,), folder=Path("elsewhere")))
        assert "folder: has changed; start again for that" in street.said


def test_todays_numbers_outlive_the_service(street: Street) -> None:
    """Who came, and who crossed a line there still is, is counted on from where it was."""
    door, gate = street.site.cameras
    lined = replace(door, lines=(Line("in", (0.5, 0), (0.5, 1)),))
    site = replace(street.site, cameras=(lined, gate))
    tally = Tally("door", int(time.time()) // 60 * 60)
    tally.people["with_mask"] = 3
    tally.inward["in", "with_mask"] = 2
    tally.outward["in", "without_mask"] = 1
    tally.inward["gone", "with_mask"] = 9
    store = Store(site.folder)
    store.add_tallies([tally])
    store.close()
    with street.service(site) as service:
        status = service.hub.camera("door")
        assert status is not None
        assert status.people_today == {"with_mask": 3}
        assert status.crossings == {"in": Crossings({"with_mask": 2}, {"without_mask": 1})}
        gate_status = service.hub.camera("gate")
        assert gate_status is not None
        assert gate_status.people_today == {}


def test_a_changed_camera_keeps_todays_people(street: Street, bare: Image) -> None:
    """Reading the site file again loses no count that was not yet on the disk."""
    with street.service() as service:
        people = service.hub.camera("door")
        while not (people is not None and people.people_today):
            street.cameras["door"].show(bare)
            time.sleep(0.05)
            people = service.hub.camera("door")
        door, gate = street.site.cameras
        service.reload(replace(street.site, cameras=(replace(door, min_face=21), gate)))
        after = service.hub.camera("door")
        assert after is not None
        assert after.people_today == people.people_today == {"without_mask": 1}


def test_channels_change_with_the_site(street: Street, bare: Image, tmp_path: Path) -> None:
    """A command that is added is run for the next alert; the record is on its standard input."""
    with street.service() as service:
        told = NotificationSettings(command=("tee", "-a", str(tmp_path / "told")))
        service.reload(replace(street.site, notifications=told))
        street.cameras["door"].show(bare)
        wait_for(lambda: (tmp_path / "told").exists() and (tmp_path / "told").read_text())
        assert '"camera": "door"' in (tmp_path / "told").read_text()
        wait_for(lambda: service.hub.counters.delivered == {"command": 1})


def test_recording_goes_with_an_alert(street: Street, bare: Image) -> None:
    """A camera that records events has a clip of its alert when the service ends."""
    door, gate = street.site.cameras
    clips = replace(door, recording=RecordingSettings("events"))
    with street.service(replace(street.site, cameras=(clips, gate))) as service:
        for _ in range(3):
            street.cameras["door"].show(bare)
        wait_for(lambda: service.store.events())
        (event,) = service.store.events()
    again = street.service()
    assert again.store.clip_path(event.id) is not None
    again.close()


def test_a_folder_has_one_service(street: Street) -> None:
    """A second one is refused in a line; when the first has ended it may begin."""
    first = street.service()
    with pytest.raises(OutputError, match="another maskdet serve writes there"):
        street.service()
    first.close()
    street.service().close()


def test_a_dead_camera_holds_up_nobody(street: Street, bare: Image) -> None:
    """It is down, and tried on; the other one is watched, and the end does not wait for it."""
    street.cameras["gate"].plug(is_in=False)
    with street.service() as service:
        street.cameras["door"].show(bare)
        wait_for(lambda: seen(service, "door")() == 1)
        wait_for(lambda: service.hub.is_ready)
        states = {camera.name: camera.state for camera in service.hub.cameras()}
        assert states == {"door": CameraState.LIVE, "gate": CameraState.DOWN}
    assert any(line == "gate: down (is not plugged in)" for line in street.said)
