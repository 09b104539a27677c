"""What the C library is asked for."""

import subprocess
import sys

import pytest

from maskdet.media.heaps import save_memory

# Two threads that hold a heap each; glibc tells of its arenas.
_PROGRAM = """
import ctypes, os, sys, threading
from maskdet.media.heaps import save_memory
if sys.argv[1] == "save":
    assert save_memory()
c = ctypes.CDLL(None)
c.malloc.restype = ctypes.c_void_p
gate = threading.Barrier(9)
def hold():
    c.malloc(1000)
    gate.wait()
    gate.wait()
threads = [threading.Thread(target=hold) for _ in range(8)]
for thread in threads:
    thread.start()
gate.wait()
sys.stdout.flush()
c.fopen.restype = ctypes.c_void_p
c.malloc_info(0, ctypes.c_void_p(c.fopen(b"/dev/stdout", b"w")))
c.fflush(None)
gate.wait()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs glibc")
def test_threads_share_their_heaps() -> None:
    """With the service's settings eight threads make do with two heaps; else they have more."""
    if not save_memory():
        pytest.skip("needs glibc")
    heaps = []
    for word in ("save", "leave"):
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM, word],
            capture_output=True, text=True, check=True, env={"PYTHONPATH": ":".join(sys.path)},
        )  # fmt: skip
        heaps.append(done.stdout.count("<heap nr="))
    assert heaps[0] <= 2 < heaps[1]
