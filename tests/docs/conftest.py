"""The documentation lies beside the checkout's tests alone, not beside those of a wheel."""

from pathlib import Path

from command_line import ROOT


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leaves out this folder where there is no documentation."""
    del collection_path
    return None if (ROOT / "mkdocs.yml").is_file() else True
