"""Writes the constraints file of the lowest versions that pyproject.toml allows.

    python tools/lowest.py          writes tests/lowest-constraints.txt
    python tools/lowest.py --check  exit code 1 if the file is not what pyproject.toml says

Installed with these, the light tests tell whether the lower bounds are true.
"""

import argparse
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "tests" / "lowest-constraints.txt"
HEAD = "# Made by tools/lowest.py from pyproject.toml: the lowest versions that it allows.\n"


def constraints(pyproject: str) -> str:
    """Returns the constraints file's text for a pyproject.toml's text.

    Raises:
        ValueError: a dependency has no lower bound.
    """
    lines = []
    for dependency in tomllib.loads(pyproject)["project"]["dependencies"]:
        bound = re.match(r"([\w.-]+)>=([\d.]+)", dependency)
        if bound is None:
            raise ValueError(f"{dependency}: has no lower bound")
        # The release's own patches are allowed: a bound such as 4.10 is no version of its own.
        lines.append(f"{bound[1]}=={bound[2]}.*\n")
    return HEAD + "".join(lines)


def main() -> None:
    """Writes or checks the file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    wanted = constraints((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    if not parser.parse_args().check:
        FILE.write_text(wanted, encoding="utf-8")
    elif not FILE.is_file() or FILE.read_text(encoding="utf-8") != wanted:
        sys.exit(f"{FILE.name} is not what pyproject.toml says: python tools/lowest.py")


if __name__ == "__main__":
    main()
