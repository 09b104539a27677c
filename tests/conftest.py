"""What the tests have in common: samples, real data beside the checkout, the command line."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from command_line import ROOT, SAMPLES, Cli


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
