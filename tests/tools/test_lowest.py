"""The constraints file of the lowest versions is what pyproject.toml says."""

import subprocess
import sys

import pytest

from command_line import ROOT
from lowest import constraints


def test_the_file_is_up_to_date() -> None:
    """It is made by the program, and made again when a bound changes."""
    program = ROOT / "tools" / "lowest.py"
    done = subprocess.run(
        [sys.executable, program, "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_bounds_become_pins() -> None:
    """Each lower bound is pinned with its patches; one without a bound is refused."""
    head = "[project]\ndependencies = "
    assert constraints(f'{head}["a-b>=1.2", "c>=0.5.4,<2"]').splitlines()[1:] == [
        "a-b==1.2.*",
        "c==0.5.4.*",
    ]
    with pytest.raises(ValueError, match="has no lower bound"):
        constraints(f'{head}["a"]')
