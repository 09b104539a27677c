"""The lines that are broken to try the tests are still there."""

import pytest

from command_line import ROOT
from mutate import BREAKS, Break


@pytest.mark.parametrize("line", BREAKS, ids=lambda line: f"{line.file}: {line.right.strip()}")
def test_a_line_to_break_is_there_once(line: Break) -> None:
    """It, and the tests that are to find it."""
    source = (ROOT / "src" / "maskdet" / line.file).read_text(encoding="utf-8")
    assert source.count(line.right) == 1
    assert all((ROOT / "tests" / test).exists() for test in line.tests)
