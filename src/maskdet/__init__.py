"""Face-mask detection: find faces, tell whether they wear a mask, show why."""

__version__ = "0.2.0"
