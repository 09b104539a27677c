"""What the tests have in common: samples, real data beside the checkout, the command line."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from command_line import ROOT, SAMPLES, Cli

# Tests of the trainers and of what Keras computes: their modules import TensorFlow.
TRAINING = ("train", "heatmap/methods/test_explainers.py", "vision/test_foreign.py")


def pytest_configure() -> None:
    """Hears signals as from a terminal: nohup, cron and shells in the background ignore some.

    The programs that tests start inherit it.
    """
    for name, usual in (("SIGINT", signal.default_int_handler), ("SIGHUP", signal.SIG_DFL)):
        # Windows has no SIGHUP.
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, usual)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds --light: for while one works, and for installations without the extra ``train``."""
    parser.addoption("--light", action="store_true", help="leave out what needs TensorFlow")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leaves out whole modules that need TensorFlow, where it is not wanted."""
    if config.getoption("--light"):
        folder = Path(__file__).parent
        return collection_path in {folder / name for name in TRAINING} or None
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skips single tests that need TensorFlow, where it is not wanted."""
    if config.getoption("--light"):
        skip = pytest.mark.skip(reason="needs TensorFlow")
        for item in items:
            if item.get_closest_marker("training"):
                item.add_marker(skip)


@pytest.fixture
def samples() -> Path:
    """The folder of bundled sample pictures."""
    return SAMPLES


@pytest.fixture
def shared_data() -> Path:
    """The folder of real photographs beside the checkout; skips the test where it is not."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the development photographs, which are not part of the repository")
    return folder


@pytest.fixture
def maskdet(tmp_path: Path) -> Cli:
    """Runs the command line as a user does, in a process of its own, in an empty folder."""

    def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "maskdet", *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            timeout=300,
            env={**os.environ, **environment},
        )

    return run


@pytest.fixture
def noise() -> NDArray[np.uint8]:
    """A (48, 64, 3) picture of seeded noise."""
    return np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 96 kB; skips the test where none can be had."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("needs Linux and its administrator, to make a small disk")
    mount = ["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"needs a small disk: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.fixture
def display() -> Iterator[str]:
    """A virtual screen."""
    if shutil.which("Xvfb") is None:
        pytest.skip("needs Xvfb, a virtual screen")
    name = f":{90 + os.getpid() % 900}"
    server = subprocess.Popen(
        ["Xvfb", name, "-screen", "0", "900x700x24"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    socket = Path(f"/tmp/.X11-unix/X{name[1:]}")
    deadline = time.monotonic() + 10
    while not socket.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    yield name
    server.terminate()
    server.wait()
