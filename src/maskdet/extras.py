"""What is installed only when asked for: heavy dependencies that come with an extra of maskdet."""

import importlib.util

from maskdet.errors import MissingExtraError

# Extra to the modules it brings, and what people call them.
_MODULES = {"train": {"tensorflow": "TensorFlow", "h5py": "h5py"}}


def missing(extra: str) -> tuple[str, ...]:
    """Returns the names, as people know them, of an extra's libraries that are not installed."""
    return tuple(
        name
        for module, name in _MODULES[extra].items()
        # Found, not imported: TensorFlow takes seconds to load.
        if importlib.util.find_spec(module) is None
    )


def require(extra: str, what: str) -> None:
    """Makes sure that an extra's libraries are installed.

    Args:
        extra: its name in ``pyproject.toml``.
        what: what cannot be done without, the beginning of the message.

    Raises:
        MissingExtraError: one of them is missing; the message says what to install.
    """
    names = missing(extra)
    if names:
        raise MissingExtraError(
            f"{what} needs {' and '.join(names)}, which this installation of maskdet is without: "
            f"pip install 'maskdet[{extra}]'"
        )
