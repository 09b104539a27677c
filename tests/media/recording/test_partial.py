"""The file of a recording under way takes all it is given, or says why not."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="needs limits of a process, which Windows lacks")

LIMITED = """
import errno, resource, sys
from pathlib import Path
from maskdet.media.recording.partial import PartialFile
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
partial = PartialFile(Path(sys.argv[1]), print)
assert partial.file.write(b"x" * 600) == 600
try:
    # The system takes 400 of these, and says so, before it refuses the rest.
    partial.file.write(b"y" * 600)
except OSError as error:
    assert error.errno == errno.EFBIG, error
    print("refused")
partial.discard()
assert not partial.path.exists()
"""


def test_a_write_that_finds_no_room_for_its_end_fails(tmp_path: Path) -> None:
    """What is taken in part is no success, as a last fragment would be lost in silence."""
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, tmp_path / "door.mp4"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["refused"]
