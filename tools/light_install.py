"""Installs the wheel as a user who only detects does, without extras, and tests it.

    python tools/light_install.py                       with this Python, the newest versions
    python3.13 tools/light_install.py --lowest          the lowest that pyproject.toml allows

The environment and the tests lie in a folder without the clone, so that nothing is found in it
which the wheel lacks.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONSTRAINTS = ROOT / "tests" / "lowest-constraints.txt"
# Of the wheel under test; what tests are run with.
TEST_TOOLS = ("pytest>=8", "pytest-xdist>=3.6")
MEGABYTE = 2**20


def run(*words: object, cwd: Path = ROOT) -> None:
    """Runs a command; its failure ends the program with its exit code."""
    done = subprocess.run([str(word) for word in words], cwd=cwd, check=False)
    if done.returncode != 0:
        sys.exit(done.returncode)


def size_of(folder: Path) -> float:
    """Returns the megabytes of a folder's files."""
    return sum(path.lstat().st_size for path in folder.rglob("*")) / MEGABYTE


def main() -> None:
    """Builds, installs, tests."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--lowest", action="store_true", help="install the lowest versions")
    parser.add_argument("--no-tests", action="store_true", help="only install, and say the size")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="maskdet-light-") as name:
        folder = Path(name)
        environment = folder / "environment"
        run(sys.executable, "-m", "venv", environment)
        python = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        pip = (python, "-m", "pip", "--quiet", "--disable-pip-version-check")
        run(*pip, "wheel", "--no-deps", "--wheel-dir", folder, ROOT)
        (wheel,) = folder.glob("*.whl")
        constraints = ("--constraint", CONSTRAINTS) if given.lowest else ()
        if given.no_tests:
            run(*pip, "install", *constraints, wheel)
            print(f"installed without extras: {size_of(environment):.0f} MB")
            return
        # Most of it is never imported here: what is, Python compiles then, and once.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        run(*pip, "install", "--no-compile", *constraints, wheel, *TEST_TOOLS)
        for part in ("tests", "samples", "tools"):
            shutil.copytree(
                ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__")
            )
        # What tries the checkout's own programs and pages is no matter of an installation; nor is
        # how the sources name one another, a third of all tests, whatever is installed.
        for part in ("docs", "tools"):
            shutil.rmtree(folder / "tests" / part)
        (folder / "tests" / "test_architecture.py").unlink()
        shutil.copy(ROOT / "pyproject.toml", folder)
        tests = (python, "-m", "pytest", "--light")
        every = [*map(str, tests), "-n", "auto", "--dist", "worksteal"]
        if subprocess.run(every, cwd=folder, check=False).returncode != 0:
            # As in .ci/run: once more by themselves, as machines are shared.
            run(*tests, "--last-failed", "--last-failed-no-failures", "none", cwd=folder)


if __name__ == "__main__":
    main()
