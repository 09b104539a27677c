"""How many frames are worked on at a time follows the cores and the memory there are."""

from dataclasses import replace
from pathlib import Path

import pytest

from maskdet.processor import processor
from maskdet.vision import lanes

_FREE = 64 << 30


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine of 16 cores and 64 GB without limits of a container; they go into the folder."""
    here = replace(processor(), cores=16)
    monkeypatch.setattr(lanes, "processor", lambda: here)
    monkeypatch.setattr(lanes, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(lanes, "_CGROUP", tmp_path)
    (tmp_path / "meminfo").write_text(f"MemTotal: 1 kB\nMemAvailable: {_FREE // 1024} kB\n")
    return tmp_path


def _cores(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    here = replace(processor(), cores=count)
    monkeypatch.setattr(lanes, "processor", lambda: here)


@pytest.mark.parametrize(("cores", "expected"), [(1, 1), (2, 2), (4, 4), (16, lanes.MOST_LANES)])
def test_each_core_has_a_lane(
    cores: int, expected: int, machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One core runs one network; of very many most would wait."""
    assert machine.is_dir()
    _cores(cores, monkeypatch)
    assert lanes.lanes_here() == expected


@pytest.mark.parametrize(
    ("quota", "expected"), [("300000 100000", 3), ("50000 100000", 1), ("max 100000", 6)]
)
def test_a_container_has_the_cores_of_its_quota(quota: str, expected: int, machine: Path) -> None:
    """Whatever the machine has."""
    (machine / "cpu.max").write_text(quota + "\n")
    assert lanes.lanes_here() == expected


def test_lanes_do_not_take_more_than_half_of_the_memory(machine: Path) -> None:
    """Of what is free on the machine; one lane there always is."""
    for fitting, expected in ((3, 3), (0, 1)):
        free = 2 * lanes.LANE_MEMORY * fitting // 1024
        (machine / "meminfo").write_text(f"MemAvailable: {free} kB\n")
        assert lanes.lanes_here() == expected


def test_what_a_container_keeps_of_files_is_free(machine: Path) -> None:
    """Its memory looks full of what was read, which goes when it is wanted."""
    limit = 8 * lanes.LANE_MEMORY
    (machine / "memory.max").write_text(f"{limit}\n")
    (machine / "memory.current").write_text(f"{limit}\n")
    assert lanes.lanes_here() == 1
    (machine / "memory.stat").write_text(f"anon 5\ninactive_file {limit // 2}\n")
    assert lanes.lanes_here() == 2


def test_a_system_that_says_nothing_of_memory_counts_cores(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As macOS and Windows do not."""
    (machine / "meminfo").unlink()
    _cores(4, monkeypatch)
    assert lanes.lanes_here() == 4
