"""The command line in processes that begin with everything imported: forked off one that waits.

To import the libraries takes longer than most tests. Each worker of the tests starts one such
server; a request is a command line, the answer how its process ended.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

# Forking what others' threads may hold locks of is safe on Linux alone, and Windows cannot fork.
POSSIBLE = sys.platform == "linux"

# What the light commands never import.
_TRAINING = ("tensorflow", "keras", "h5py")

# What they import only when they need it.
_LATE = (
    "av", "cv2", "matplotlib.backends.backend_agg", "matplotlib.figure", "pi_heif", "PIL.Image",
    "rich.progress", "rich.table", "scipy.optimize", "scipy.sparse.linalg", "yaml",
)  # fmt: skip

# What pytest changes from test to test.
_OF_PYTEST = "PYTEST_CURRENT_TEST"

# What is read when it is needed, not by a library when it is imported.
_READ_LATE = frozenset({"XDG_CACHE_HOME"})


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != _OF_PYTEST}


class ReadyProcesses:
    """A process that has imported what the commands need, and forks one for each request."""

    def __init__(self) -> None:
        """Starts it."""
        self._environment = _environment()
        self._socket, theirs = socket.socketpair()
        self._replies = self._socket.makefile("r", encoding="utf-8")
        command = [sys.executable, "-P", __file__, str(theirs.fileno())]
        with theirs:
            self._server = subprocess.Popen(
                command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL
            )

    def serves(self, environment: Mapping[str, str]) -> bool:
        """Tells whether processes may be had: libraries read the environment when imported."""
        return _READ_LATE.issuperset(environment) and _environment() == self._environment

    def run(
        self, words: Sequence[str], folder: Path, environment: Mapping[str, str], timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Runs ``maskdet WORDS`` in a process of its own, in a folder, as `subprocess.run` does."""
        asked = {"words": words, "folder": str(folder), "environment": environment}
        with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
            request = [json.dumps(asked).encode()]
            socket.send_fds(self._socket, request, [output.fileno(), errors.fileno()])
            process = int(self._replies.readline())
            self._socket.settimeout(timeout)
            try:
                code = int(self._replies.readline())
            except TimeoutError:
                os.kill(process, 9)
                raise
            finally:
                self._socket.settimeout(None)
            for stream in (output, errors):
                stream.seek(0)
            return subprocess.CompletedProcess(words, code, output.read(), errors.read())

    def close(self) -> None:
        """Ends the server."""
        self._replies.close()
        self._socket.close()
        self._server.wait()


def _import_all() -> None:
    """Imports every module of maskdet that needs no TensorFlow, which bears no fork."""
    import maskdet
    from maskdet.cli import environment

    environment.prepare()
    # What is None cannot be imported.
    sys.modules.update(dict.fromkeys(_TRAINING))
    for module in pkgutil.walk_packages(maskdet.__path__, "maskdet."):
        if module.name != "maskdet.__main__":
            with contextlib.suppress(ImportError):
                importlib.import_module(module.name)
    for name in _LATE:
        importlib.import_module(name)
    for name in _TRAINING:
        del sys.modules[name]


def _serve(requests: socket.socket) -> None:
    """Answers requests, until nobody is left to ask; returns in each process it forks, too."""
    while True:
        request, streams, *_ = socket.recv_fds(requests, 1 << 20, 2)
        if not request:
            sys.exit()
        process = os.fork()
        if process == 0:
            break
        for stream in streams:
            os.close(stream)
        requests.sendall(f"{process}\n".encode())
        _, status = os.waitpid(process, 0)
        requests.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    requests.close()
    for number, stream in enumerate(streams, 1):
        os.dup2(stream, number)
        os.close(stream)
    asked = json.loads(request)
    os.chdir(asked["folder"])
    os.environ.update(asked["environment"])
    sys.argv = ["maskdet", *asked["words"]]


def _finish(code: object) -> None:
    """Ends the process as the interpreter does, without taking each library to pieces."""
    threading._shutdown()  # type: ignore[attr-defined] # noqa: SLF001
    atexit._run_exitfuncs()  # noqa: SLF001
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)


if __name__ == "__main__":
    _import_all()
    # Else each process would copy what it looks through for garbage.
    gc.freeze()
    _serve(socket.socket(fileno=int(sys.argv[1])))
    # What follows is in a process that was asked for.
    from maskdet.cli import main

    try:
        main()
    except SystemExit as ended:
        _finish(ended.code)
