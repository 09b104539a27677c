"""Tries a site: opens every camera once, loads the networks, and sends a trial alert."""

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from maskdet.alerts.channels import DeliveryError
from maskdet.errors import MaskdetError
from maskdet.media.inputs.options import ReadOptions
from maskdet.media.sources import open_source
from maskdet.serve.site.camera_settings import CameraSettings
from maskdet.serve.site.settings import Site
from maskdet.serve.storing.database import Database
from maskdet.serve.telling.channels import ways_of
from maskdet.serve.telling.mqtt import Broker
from maskdet.serve.telling.wording import trial_record
from maskdet.serve.watching.networks import Networks

# So many cameras are opened at a time.
_AT_ONCE = 8


def check(site: Site, say: Callable[[str], None]) -> list[str]:
    """Tries all that a site needs.

    Args:
        site: it.
        say: told, a line each, what works.

    Returns:
        What does not, a line each.
    """
    problems: list[str] = []
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = pool.map(lambda camera: _try_camera(camera, site.timeout), site.cameras)
        for camera, (works, words) in zip(site.cameras, answers, strict=True):
            line = f"{camera.name}: {words}"
            say(line) if works else problems.append(line)
    try:
        networks = Networks(site.networks, site.min_confidence)
        say(f"networks: tell {', '.join(networks.labels)} apart")
        unknown = {
            label
            for camera in site.cameras
            for label in camera.alerts.labels or ()
            if label not in networks.labels
        }
        if unknown:
            problems.append(f"alerts: no label of this model: {', '.join(sorted(unknown))}")
    except MaskdetError as error:
        problems.append(str(error))
    try:
        Database(site.folder).close()
        say(f"{site.folder}: can be written")
    except MaskdetError as error:
        problems.append(str(error))
    return problems + _try_channels(site, say)


def _try_camera(camera: CameraSettings, timeout: float) -> tuple[bool, str]:
    options = ReadOptions(reconnect=0, timeout=timeout, several=True)
    try:
        source = open_source(f"{camera.name}={camera.source}", options)
        if not source.is_moving:
            return False, "is a picture, not a camera"
        for frame in itertools.islice(source, 1):
            height, width = frame.image.shape[:2]
            return True, f"{source.kind}, {width}x{height}"
    except MaskdetError as error:
        return False, str(error).removeprefix(f"{camera.name}: ")
    return False, source.failures[-1] if source.failures else "gives no pictures"


def _try_channels(site: Site, say: Callable[[str], None]) -> list[str]:
    settings = site.notifications
    problems: list[str] = []
    try:
        broker = None
        if settings.mqtt is not None:
            broker = Broker(settings.mqtt, settings.timeout, problems.append)
            broker.start()
            broker.wait_connected(settings.timeout)
        ways = ways_of(settings, broker)
    except MaskdetError as error:
        return [*problems, str(error)]
    record = trial_record(datetime.now().astimezone())
    for way in ways:
        try:
            way.channel.deliver(record)
            say(f"{way.channel.name}: took a trial alert")
        except DeliveryError as error:
            problems.append(f"trial alert: {error}")
        finally:
            way.channel.close()
    if not ways:
        say("notifications: nobody is told of alerts")
    return list(dict.fromkeys(problems))
