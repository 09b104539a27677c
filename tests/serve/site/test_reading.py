"""Reading a site file: what it says, and one line for each mistake."""

from datetime import datetime, time
from pathlib import Path

import pytest

from maskdet.errors import OptionError
from maskdet.serve.site.camera_settings import CameraAlerts, Hours, Line, Zone
from maskdet.serve.site.example import example_site
from maskdet.serve.site.lines import key_lines, line_of
from maskdet.serve.site.reading import read_site, site_of_sources

CAMERA = '[[cameras]]\nname = "door"\nsource = "0"\n'


def written(folder: Path, text: str) -> Path:
    """Writes a site file."""
    path = folder / "site.toml"
    path.write_text(text)
    return path


def test_every_setting_of_the_example_is_one(tmp_path: Path) -> None:
    """The example is a site as it stands, and so it is with every commented line taken in."""
    plain = read_site(written(tmp_path, example_site()))
    assert [camera.name for camera in plain.cameras] == ["door"]
    lines = example_site().splitlines()
    whole = [line.removeprefix("# ") if "=" in line or "[" in line[:4] else line for line in lines]
    text = "\n".join(whole).replace('"notify-custodian"', '"true"')
    for name in ("DOOR_PASSWORD", "MAIL_PASSWORD", "BOT_TOKEN", "CHAT", "MQTT_PASSWORD"):
        text = text.replace(f"${{{name}}}", "secret")
    text = text.replace("# What `maskdet serve`", "# What").replace("${NAME} in", "# NAME in")
    site = read_site(written(tmp_path, text))
    camera = site.cameras[0]
    assert (camera.rotate, camera.frame_rate, camera.min_face) == (90, 5, 24)
    assert camera.alerts == CameraAlerts(("without_mask",), 2, 10, 300)
    assert camera.recording.mode == "events"
    assert camera.zones == (
        Zone("entrance", ((0.1, 0.2), (0.9, 0.2), (0.9, 1), (0.1, 1)), False, 40),
    )
    assert camera.lines == (Line("threshold", (0.2, 0.6), (0.8, 0.6)),)
    assert camera.hours == (Hours(frozenset(range(5)), time(7), time(19)),)
    assert site.networks.face_size == 320
    assert site.server.certificate == tmp_path / "site.pem"
    assert site.notifications.mqtt is not None
    assert site.notifications.mqtt.discovery == "homeassistant"
    assert site.folder == tmp_path / "maskdet-site"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (CAMERA + "rotat = 90", 4, r"cameras\.rotat: there is no such key here; did you mean rot"),
        (CAMERA + "rotate = 45", 4, r"cameras\.rotate: must be one of 0, 90, 180, 270"),
        (CAMERA + "min_face = true", 4, "min_face: must be a number from 0"),
        (CAMERA + CAMERA, 5, r"cameras\.name: another camera is called door"),
        (CAMERA + "\n[cameras.alerts]\nafter = -1", 6, r"alerts\.after: must be a number"),
        (CAMERA + '[[cameras.zones]]\npolygon = [[0, 0], [1, 1]]', 5, "three corners"),
        (CAMERA + '[[cameras.zones]]\npolygon = [[0, 0], [1, 2]]', 5, "shares of the frame"),
        (CAMERA + '[[cameras.hours]]\ndays = "mon-someday"', 5, "mon-fri"),
        (CAMERA + "[[cameras.lines]]\nends = 3", 5, "must be places"),
        ('[[cameras]]\nname = "../door"\nsource = "0"', 2, "must be letters"),
        ('[[cameras]]\nname = "door"', 1, "source is missing"),
        ('folder = "x"', 1, "names no camera"),
        (CAMERA + "[server]\nport = 70000", 5, r"server\.port: must be a number from 0 to 65535"),
        (CAMERA + '[server]\nkey = "a"', 4, "certificate and key"),
        (CAMERA + '[notifications]\nwebhook = "nowhere"', 5, "must be an address"),
        (CAMERA + '[notifications.mqtt]\nhost = "a"\nprefix = "a/#"', 6, "topic"),
        ('[[cameras]]\nname = "door"\nsource = "rtsp://a:${NO_SUCH}@b/"', 3, "has no NO_SUCH"),
        ("[[cameras]\n", None, r"is not TOML: .*line 1"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(
    tmp_path: Path, text: str, line: int | None, said: str
) -> None:
    """An unknown key, or a wrong value, is one message with file, line and key."""
    path = written(tmp_path, text)
    where = rf"site\.toml, line {line}: .*" if line else r"site\.toml: .*"
    with pytest.raises(OptionError, match=where + said):
        read_site(path)


def test_secrets_come_from_elsewhere_and_are_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password is read from the environment or a file; no text of the site has it."""
    monkeypatch.setenv("DOOR", "hunter2")
    (tmp_path / "token").write_text("hunter3\n")
    site = read_site(
        written(
            tmp_path,
            '[[cameras]]\nname = "door"\nsource = "rtsp://me:${DOOR}@camera/${file:token}"\n',
        )
    )
    assert site.cameras[0].source == "rtsp://me:hunter2@camera/hunter3"
    assert "hunter2" not in repr(site)
    assert site.cameras[0].public_source.startswith("rtsp://camera/")


def test_lines_are_found_through_arrays_and_long_values() -> None:
    """Keys are told apart by the element of the array they are in; a long value hides no key."""
    text = '[[a]]\nb = """\nc = 1\n"""\n[[a.d]]\ne.f = [\n 1,\n]\n[[a]]\nb = 2\n[[a.d]]\ne.f = 3\n'
    lines = key_lines(text)
    assert lines["a", 0, "b"] == 2
    assert lines["a", 0, "d", 0, "e", "f"] == 6
    assert lines["a", 1, "b"] == 10
    assert lines["a", 1, "d", 0, "e", "f"] == 12
    assert ("a", 0, "c") not in lines
    assert line_of(lines, ("a", 1, "nothing")) == 9


def test_sources_alone_make_a_site() -> None:
    """Cameras named on the command line get numbers, or the names before their equals signs."""
    site = site_of_sources(["0", "gate=rtsp://me:secret@camera/1"])
    assert [camera.name for camera in site.cameras] == ["camera 1", "gate"]
    with pytest.raises(OptionError, match="two cameras are called gate"):
        site_of_sources(["gate=0", "Gate=1"])


def test_a_camera_sleeps_outside_its_hours() -> None:
    """Hours over midnight belong to the day they begin on."""
    night = Hours(frozenset({4}), time(22), time(6))
    assert night.include(datetime(2026, 11, 27, 23))  # a Friday
    assert night.include(datetime(2026, 11, 28, 5))
    assert not night.include(datetime(2026, 11, 27, 5))
    assert not night.include(datetime(2026, 11, 28, 23))


def test_all_labels_but_a_mask_raise_an_alert() -> None:
    """Unless labels are named, whatever a model tells apart from a mask is told of."""
    labels = ("with_mask", "without_mask", "mask_worn_incorrectly")
    assert CameraAlerts().among(labels) == labels[1:]
    assert CameraAlerts(("without_mask",)).among(labels) == ("without_mask",)
