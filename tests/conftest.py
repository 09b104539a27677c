"""What the tests have in common: samples, real data beside the checkout, the command line."""

import itertools
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from command_line import FRAMES, ROOT, SAMPLES, Cli
from maskdet.cli import main
from ready_processes import POSSIBLE, ReadyProcesses

# Tests of the trainers and of what Keras computes: their modules import TensorFlow.
TRAINING = ("train", "heatmap/methods/test_explainers.py", "vision/test_foreign.py")

# What runs the command line in processes.
_RUN_COMMANDS = {"fresh_maskdet", "maskdet"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds --light: for while one works, and for installations without the extra ``train``."""
    parser.addoption("--light", action="store_true", help="leave out what needs TensorFlow")
    parser.addoption("--quick", action="store_true", help="leave out what runs whole commands")


def pytest_configure(config: pytest.Config) -> None:
    """Hears signals as from a terminal: nohup, cron and shells in the background ignore some.

    The programs that tests start inherit what is ignored, but no handler; so the tests themselves
    outlive their terminal under nohup. What only hands out tests to workers leaves it to them.
    """
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        hangup = getattr(signal, "SIGHUP", None)
        if hangup is not None and signal.getsignal(hangup) == signal.SIG_IGN:
            signal.signal(hangup, lambda *_: None)
        if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leaves out whole modules that need TensorFlow, where it is not wanted."""
    if config.getoption("--light"):
        folder = Path(__file__).parent
        return collection_path in {folder / name for name in TRAINING} or None
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out single tests that need TensorFlow, or run commands, where it is not wanted."""
    if config.getoption("--quick"):
        slow = [
            item for item in items if _RUN_COMMANDS.intersection(getattr(item, "fixturenames", ()))
        ]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in slow]
    if config.getoption("--light"):
        skip = pytest.mark.skip(reason="needs TensorFlow")
        for item in items:
            if item.get_closest_marker("training"):
                item.add_marker(skip)


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the bundled samples, the film cut to its beginning: most tests want just any."""
    folder = tmp_path_factory.mktemp("samples")
    for path in SAMPLES.glob("*.jpg"):
        shutil.copy(path, folder)
    _begin(SAMPLES / "astronaut.mp4", folder / "astronaut.mp4")
    return folder


def _begin(film: Path, target: Path) -> None:
    """Writes a film's first frames, as they are."""
    with av.open(str(film)) as source, av.open(str(target), "w") as begun:
        stream = source.streams.video[0]
        begun_stream = begun.add_stream_from_template(stream)
        for packet in itertools.islice(source.demux(stream), FRAMES):
            packet.stream = begun_stream
            begun.mux(packet)


@pytest.fixture
def shared_data() -> Path:
    """The folder of real photographs beside the checkout; skips the test where it is not."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the development photographs, which are not part of the repository")
    return folder


@pytest.fixture
def fresh_maskdet(tmp_path: Path) -> Cli:
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


@pytest.fixture(scope="session")
def ready_processes() -> Iterator[Callable[[], ReadyProcesses]]:
    """Gives the server of processes that have imported everything, started when first asked for."""
    servers: list[ReadyProcesses] = []

    def server() -> ReadyProcesses:
        if not servers:
            servers.append(ReadyProcesses())
        return servers[0]

    yield server
    for started in servers:
        started.close()


@pytest.fixture
def maskdet(
    tmp_path: Path, fresh_maskdet: Cli, ready_processes: Callable[[], ReadyProcesses]
) -> Cli:
    """Runs the command line as `fresh_maskdet` does, where possible in a process that is ready."""

    def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        words = [str(argument) for argument in arguments]
        if POSSIBLE and ready_processes().serves(environment):
            return ready_processes().run(words, tmp_path, environment, 300)
        return fresh_maskdet(*words, **environment)

    return run


@pytest.fixture
def maskdet_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Cli:
    """Runs the command line in this process, which has imported TensorFlow, in an empty folder.

    What native code writes is not seen.
    """

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        words = [str(argument) for argument in arguments]
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["maskdet", *words])
        capsys.readouterr()
        terminated = signal.getsignal(signal.SIGTERM)
        try:
            with pytest.raises(SystemExit) as ended:
                main()
        finally:
            signal.signal(signal.SIGTERM, terminated)
        said = capsys.readouterr()
        return subprocess.CompletedProcess(words, int(ended.value.code or 0), said.out, said.err)

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
    # It takes the first number that is free, and tells it when it is ready. Were it to begin anew
    # when its last client goes, as is its way, it would throw out whoever comes meanwhile.
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-noreset", "-screen", "0", "900x700x24"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert server.stdout is not None
    yield f":{server.stdout.readline().strip()}"
    server.terminate()
    server.communicate()
