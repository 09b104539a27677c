"""What the tests have in common: the samples, tiny seeded models, and the command line."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "samples"

Cli = Callable[..., subprocess.CompletedProcess[str]]


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


def assert_user_error(done: subprocess.CompletedProcess[str], *words: str, code: int = 1) -> None:
    """Checks that a command failed as it should: the exit code, one line, no traceback."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, done.stderr
    for word in words:
        assert word in lines[0]
