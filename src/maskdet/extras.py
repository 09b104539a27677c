"""What an installation may be without: the libraries of maskdet's extras, and the system's."""

import importlib
import importlib.util
import re
from types import ModuleType

from maskdet.errors import MissingExtraError

# Extra to the modules it brings, and what people call them.
_MODULES = {
    "train": {"tensorflow": "TensorFlow", "h5py": "h5py"},
    "serve": {
        "fastapi": "FastAPI",
        "uvicorn": "Uvicorn",
        "python_multipart": "python-multipart",
        "prometheus_client": "prometheus-client",
        "paho": "paho-mqtt",
        "apprise": "Apprise",
    },
    "archive": {"ray": "Ray", "pyarrow": "PyArrow", "fsspec": "fsspec", "duckdb": "DuckDB"},
}

# What a slim system is without: the library that OpenCV's wheel asks for to Debian's package.
_SYSTEM_PACKAGES = {
    "libGL.so.1": "libgl1",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libSM.so.6": "libsm6",
    "libXext.so.6": "libxext6",
    "libXrender.so.1": "libxrender1",
}


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


def optional(module: str, what: str) -> ModuleType:
    """Imports a library that maskdet never brings, and hands its own objects to.

    Args:
        module: its name, which is also the package's.
        what: what cannot be done without, the beginning of the message.

    Raises:
        MissingExtraError: it is not installed; the message says how to.
    """
    if importlib.util.find_spec(module) is None:
        raise MissingExtraError(f"{what} needs {module}: pip install {module}")
    return importlib.import_module(module)


def opencv_trouble(error: ImportError) -> str | None:
    """Tells what to do where OpenCV cannot be imported, ``None`` where it is not to blame.

    Its usual wheel needs the system's libraries for windows; servers and containers lack them.
    """
    headless = "pip uninstall -y opencv-python && pip install opencv-python-headless"
    if error.name == "cv2" and isinstance(error, ModuleNotFoundError):
        return f"OpenCV is not installed: {headless}, or install maskdet again"
    library = re.match(r"(lib\S+\.so[.\d]*): cannot open shared object file", str(error))
    if library is None:
        return None
    package = _SYSTEM_PACKAGES.get(library[1])
    mend = f"apt-get install {package}" if package else f"install the package with {library[1]}"
    return f"OpenCV cannot be loaded without {library[1]}: {mend}, or, without windows, {headless}"
