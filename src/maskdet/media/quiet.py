"""Keeps native libraries from printing: what goes wrong maskdet says itself."""

import os

# Read when the libraries load.
_QUIET = {
    "OPENCV_LOG_LEVEL": "SILENT",
    "OPENCV_FFMPEG_LOGLEVEL": "-8",
    "QT_LOGGING_RULES": "*=false",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


def hush() -> None:
    """Silences the libraries that are not loaded yet; what the user has set stays."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
