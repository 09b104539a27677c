"""Alerts that arrive: tried again, in order, on each channel by itself, with an end."""

import itertools
import os
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from maskdet.alerts.channels import CommandChannel, DeliveryError, WebhookChannel, channels_of
from maskdet.alerts.delivery import Delivery
from maskdet.alerts.options import AlertOptions, DeliveryOptions
from webhook_server import GIBBERISH, HANG, HANG_LATER, Webhook, running_webhook

QUICK = DeliveryOptions(first_wait=0.02, longest_wait=0.05, keep=30, grace=5)
POSIX = pytest.mark.skipif(os.name != "posix", reason="needs process groups")


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    """A webhook on loopback."""
    with running_webhook() as server:
        yield server


def record(number: int) -> dict[str, Any]:
    """Returns an alert, as far as deliveries look at it."""
    moment = {"frame": number, "time": number / 10, "seconds_without_mask": 2.0}
    return {"id": str(number), "label": "without_mask", "source": "door", **moment}


def told(server: Webhook) -> list[int]:
    """Returns the numbers of the alerts that arrived."""
    return [one["frame"] for one in server.received]


def deliver(
    count: int, options: DeliveryOptions = QUICK, **whom: Any
) -> tuple[list[str], list[str]]:
    """Delivers some alerts; returns what was logged and what failed."""
    lines: list[str] = []
    with Delivery(channels_of(AlertOptions(**whom)), options, lines.append) as delivery:
        for number in range(count):
            delivery.send(record(number))
    return lines, delivery.failures


def wait_until(condition: Any) -> None:
    """Waits for another thread, for half a minute at most."""
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)


@pytest.mark.parametrize("answer", [500, 502, 503, 408, 429, HANG, GIBBERISH])
def test_a_webhook_that_recovers(webhook: Webhook, answer: int | str) -> None:
    """Three failures, then all arrive, in order, once each."""
    webhook.script = [answer] * 3
    lines, failures = deliver(4, webhook=webhook.url, timeout=0.4)
    assert told(webhook) == [0, 1, 2, 3]
    assert [one["frame"] for _, one in webhook.tried[:4]] == [0, 0, 0, 0]
    assert failures == []
    assert "tried again in" in lines[0]
    assert "delivers again" in lines[-1]
    assert len(lines) <= 3


@pytest.mark.parametrize("answer", [400, 401, 403, 404, 410, 413, 422])
def test_a_webhook_that_refuses(webhook: Webhook, answer: int) -> None:
    """What it does not want is not tried again; the next alert is."""
    webhook.script = [answer]
    lines, failures = deliver(2, webhook=webhook.url)
    assert told(webhook) == [1]
    assert len(webhook.tried) == 2
    assert f"answered {answer}" in lines[0]
    assert "door at 0 s" in lines[0]
    (failure,) = failures
    assert "1 of 2 alerts not delivered (No Mask of door at 0 s)" in failure


def test_a_webhook_that_never_ends_its_answer(webhook: Webhook) -> None:
    """It said that the record arrived: it is not sent twice."""
    webhook.script = [HANG_LATER]
    assert deliver(2, webhook=webhook.url, timeout=0.4) == ([], [])
    assert [one["frame"] for _, one in webhook.tried] == [0, 1]


@pytest.mark.parametrize("answer", [301, 302, 303, 307, 308])
def test_a_webhook_that_has_moved(webhook: Webhook, answer: int) -> None:
    """A POST that is led elsewhere would become a GET without the record: it is said."""
    webhook.script, webhook.headers = [answer], {"Location": f"{webhook.url}new"}
    lines, failures = deliver(1, webhook=webhook.url)
    assert webhook.received == []
    assert f"answered {answer}" in lines[0]
    assert "moved" in lines[0]
    assert len(failures) == 1


def test_waits_grow_and_the_receiver_may_ask_for_more(webhook: Webhook) -> None:
    """Doubled each time, up to the longest; Retry-After is heard."""
    options = replace(QUICK, first_wait=0.02, longest_wait=0.3)
    lines: list[str] = []
    with Delivery([WebhookChannel(webhook.url, 1)], options, lines.append) as delivery:
        webhook.script = [500] * 4
        delivery.send(record(0))
        wait_until(lambda: webhook.received)
        times = [moment for moment, _ in webhook.tried]
        waits = [after - before for before, after in itertools.pairwise(times)]
        assert waits[1] > 0.029
        assert waits[3] > 0.119
        webhook.tried.clear()
        webhook.script, webhook.headers = [429], {"Retry-After": "3600"}
        delivery.send(record(1))
        wait_until(lambda: len(webhook.received) == 2)
    (first, _), (second, _) = webhook.tried
    assert 0.22 < second - first < 60


def test_a_dead_webhook_holds_up_no_command(tmp_path: Path) -> None:
    """The two are independent; what did not arrive is said at the end."""
    lines, failures = deliver(
        3,
        replace(QUICK, grace=1),
        command=("sh", "-c", f'read -r line && echo "$line" >> {tmp_path}/told'),
        webhook="http://127.0.0.1:9/hook?key=secret",
    )
    assert len((tmp_path / "told").read_text().splitlines()) == 3
    (failure,) = failures
    assert "http://127.0.0.1:9: 3 of 3 alerts not delivered" in failure
    assert "secret" not in "".join(lines + failures)


def test_what_is_too_old_is_given_up(webhook: Webhook) -> None:
    """One that nobody took in time does not keep the next from being delivered."""
    lines: list[str] = []
    options = replace(QUICK, keep=0.3)
    with Delivery([WebhookChannel(webhook.url, 1)], options, lines.append) as delivery:
        webhook.script = [500] * 10_000
        delivery.send(record(0))
        wait_until(lambda: any("too old" in line for line in lines))
        delivery.send(record(1))
        webhook.script = []
    assert told(webhook) == [1]
    assert len(lines) <= 4
    assert "1 of 2 alerts not delivered (No Mask of door at 0 s)" in delivery.failures[0]


def test_only_so_many_wait(webhook: Webhook) -> None:
    """The oldest make way; memory stays flat however long a server is away."""
    lines: list[str] = []
    options = replace(QUICK, first_wait=60, longest_wait=60, most=5)
    with Delivery([WebhookChannel(webhook.url, 1)], options, lines.append) as delivery:
        webhook.script = [500]
        delivery.send(record(0))
        wait_until(lambda: lines)
        for number in range(1, 101):
            delivery.send(record(number), can_wait=True)
    assert told(webhook) == [0, 96, 97, 98, 99, 100]
    assert sum("the oldest are lost" in line for line in lines) == 1
    assert "95 of 101 alerts" in delivery.failures[0]
    assert "and 92 more" in delivery.failures[0]


class Slow:
    """Takes its time, and notes how many were waiting behind."""

    name = "slow"

    def __init__(self) -> None:
        self.delivered: list[dict[str, Any]] = []

    def deliver(self, one: dict[str, Any]) -> None:
        """Delivers in a hundredth of a second."""
        time.sleep(0.01)
        self.delivered.append(one)

    def close(self) -> None:
        """Has nothing to give up."""


def test_frames_that_can_wait_do() -> None:
    """A folder of pictures is read faster than a script can ring: no alert of it is lost."""
    slow = Slow()
    with Delivery([slow], replace(QUICK, ahead=3, most=4), lambda _: None) as delivery:
        for number in range(30):
            delivery.send(record(number), can_wait=True)
            assert number - len(slow.delivered) <= 5
    assert [one["frame"] for one in slow.delivered] == list(range(30))
    assert delivery.failures == []


def test_frames_of_a_camera_never_wait(webhook: Webhook) -> None:
    """Not even while a delivery hangs."""
    webhook.script = [HANG]
    with Delivery([WebhookChannel(webhook.url, 2)], QUICK, lambda _: None) as delivery:
        start = time.monotonic()
        for number in range(50):
            delivery.send(record(number))
        assert time.monotonic() - start < 0.5
    assert told(webhook) == list(range(50))


def test_the_end_is_bounded(webhook: Webhook) -> None:
    """What waits has a limited time, and is named afterwards; an interruption leaves at once."""
    webhook.script = [500] * 10_000
    start = time.monotonic()
    _, failures = deliver(5, replace(QUICK, grace=0.4), webhook=webhook.url)
    assert 0.3 < time.monotonic() - start < 5
    assert (
        "5 of 5 alerts not delivered (No Mask of door at 0 s, No Mask of door at 0.1 s, No Mask of "
        "door at 0.2 s and 2" in failures[0]
    )


def test_what_arrives_slowly_has_longer() -> None:
    """At the end of a folder of pictures: as long as one after another arrives, up to a limit."""
    quick = replace(QUICK, grace=0.5)
    for options, arrived in ((quick, 30), (replace(quick, longest_grace=0.1), None)):
        slow = Slow()
        with Delivery([slow], options, lambda _: None) as delivery:
            for number in range(30):
                delivery.send(record(number))
        if arrived:
            assert len(slow.delivered) == arrived
        else:
            assert len(slow.delivered) < 30
            assert "of 30 alerts not delivered" in delivery.failures[0]


def test_an_interruption_leaves_at_once(webhook: Webhook) -> None:
    """Whoever presses Ctrl-C twice does not wait for a server that is out of order."""
    webhook.script = [500] * 10_000
    delivery = Delivery([WebhookChannel(webhook.url, 2)], QUICK, lambda _: None)

    def interrupted() -> None:
        with delivery:
            delivery.send(record(0))
            raise KeyboardInterrupt

    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert time.monotonic() - start < 3
    assert len(delivery.failures) == 1


def test_the_end_does_not_wait_for_the_next_attempt(webhook: Webhook) -> None:
    """A long wait is cut short: the server may be back."""
    lines: list[str] = []
    options = replace(QUICK, first_wait=60, longest_wait=60)
    with Delivery([WebhookChannel(webhook.url, 1)], options, lines.append) as delivery:
        webhook.script = [503]
        delivery.send(record(0))
        wait_until(lambda: lines)
    assert told(webhook) == [0]
    assert "1 alert waiting" in lines[1]


def test_a_fault_of_a_channel_blocks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a bug with a traceback; who waits for a place in the queue goes on."""

    class Broken(Slow):
        def deliver(self, one: dict[str, Any]) -> None:
            raise RuntimeError(one)

    faults: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", faults.append)
    with Delivery([Broken()], replace(QUICK, ahead=1), lambda _: None) as delivery:
        for number in range(5):
            delivery.send(record(number), can_wait=True)
    assert [fault.exc_type for fault in faults] == [RuntimeError]
    assert "5 of 5 alerts not delivered" in delivery.failures[0]


def test_a_command_that_recovers(tmp_path: Path) -> None:
    """It fails twice and is run again; its words reach it without a shell."""
    target = tmp_path / "$(touch pwned).json"
    program = (
        "import os, sys\n"
        "tries = sys.argv[1] + '.tries'\n"
        "open(tries, 'a').write('x')\n"
        "if os.path.getsize(tries) < 3: sys.exit(7)\n"
        "open(sys.argv[1], 'a').write(sys.stdin.read())\n"
    )
    lines, failures = deliver(2, command=(sys.executable, "-c", program, str(target)))
    assert len(target.read_text().splitlines()) == 2
    assert "ended with exit code 7; tried again in" in lines[0]
    assert failures == []
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        target.name,
        f"{target.name}.tries",
    ]


def test_a_command_that_is_not_there(tmp_path: Path) -> None:
    """It may come back: a disk of the network."""
    script = tmp_path / "ring"
    lines: list[str] = []
    with Delivery([CommandChannel((str(script),), 5)], QUICK, lines.append) as delivery:
        delivery.send(record(0))
        wait_until(lambda: lines)
        (tmp_path / "new").write_text(f"#!/bin/sh\ncat > {tmp_path}/told\n")
        (tmp_path / "new").chmod(0o755)
        (tmp_path / "new").rename(script)
    assert "cannot be run (No such file or directory)" in lines[0]
    assert (tmp_path / "told").exists()
    assert delivery.failures == []


def is_running(pid: int) -> bool:
    """Tells whether a process is there and not merely waiting to be buried."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] != "Z"


@POSIX
@pytest.mark.parametrize("trap", ["", "trap '' TERM; "])
def test_a_command_that_overruns_leaves_no_children(tmp_path: Path, trap: str) -> None:
    """All that it has started is ended with it, even what does not want to."""
    pids = tmp_path / "pids"
    script = f"{trap}sleep 60 & echo $! >> {pids}; (sleep 60) & echo $! >> {pids}; wait"
    with pytest.raises(DeliveryError, match="was stopped after"):
        CommandChannel(("sh", "-c", script), 0.8).deliver(record(0))
    children = [int(pid) for pid in pids.read_text().split()]
    assert len(children) == 2
    wait_until(lambda: not any(is_running(pid) for pid in children))


@POSIX
def test_a_command_that_runs_at_the_end_leaves_no_children(tmp_path: Path) -> None:
    """When time is up it is ended, and counts as not delivered."""
    pids = tmp_path / "pids"
    channel = CommandChannel(("sh", "-c", f"sleep 60 & echo $! >> {pids}; wait"), 50)
    with Delivery([channel], replace(QUICK, grace=0.1), lambda _: None) as delivery:
        delivery.send(record(0))
        wait_until(lambda: pids.exists() and pids.read_text().strip())
    assert "1 of 1 alert not delivered" in delivery.failures[0]
    wait_until(lambda: not is_running(int(pids.read_text())))


@POSIX
def test_a_command_that_ends_may_leave_something_running(tmp_path: Path) -> None:
    """A siren that sounds in the background is meant to."""
    pids = tmp_path / "pids"
    CommandChannel(("sh", "-c", f"sleep 60 & echo $! > {pids}"), 5).deliver(record(0))
    pid = int(pids.read_text())
    assert is_running(pid)
    os.kill(pid, 9)


def test_a_command_that_does_not_read() -> None:
    """Its record may be large: a crowd."""
    crowd = record(0) | {"faces": ["x" * 1000] * 500}
    CommandChannel((sys.executable, "-c", "pass"), 10).deliver(crowd)


def test_a_password_is_sent_and_never_said(webhook: Webhook) -> None:
    """As browsers send it; neither it nor the path, which is often a key, is in a message."""
    webhook.script = [403]
    url = webhook.url.replace("http://", "http://me:sec%40ret@") + "key/of/the/house?token=abc"
    lines, failures = deliver(2, webhook=url)
    assert told(webhook) == [1]
    assert webhook.authorization == "Basic bWU6c2VjQHJldA=="
    said = "".join(lines + failures)
    assert "127.0.0.1" in said
    for secret in ("sec", "key", "abc", "me:"):
        assert secret not in said
