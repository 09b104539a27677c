"""What files are called: the endings of pictures and videos, and of what lies beside them."""

from pathlib import Path

# What `maskdet.media.inputs.decoding` reads.
PICTURE_SUFFIXES = frozenset(
    {".apng", ".avif", ".bmp", ".dib", ".gif", ".heic", ".heif", ".hif", ".j2k", ".jfif", ".jp2"}
    | {".jpe", ".jpeg", ".jpg", ".mpo", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff"}
    | {".webp"}
)
VIDEO_SUFFIXES = frozenset(
    {".264", ".265", ".3g2", ".3gp", ".asf", ".avi", ".divx", ".dv", ".f4v", ".flv", ".h264"}
    | {".h265", ".hevc", ".ivf", ".m1v", ".m2t", ".m2ts", ".m2v", ".m4v", ".mjpeg", ".mjpg"}
    | {".mkv", ".mod", ".mov", ".mp4", ".mpe", ".mpeg", ".mpg", ".mts", ".mxf", ".nut", ".ogm"}
    | {".ogv", ".qt", ".tod", ".ts", ".vob", ".webm", ".wmv", ".y4m"}
)
# Development of a raw picture is a matter of taste. As TIFF they would be read as their thumbnail.
RAW_SUFFIXES = frozenset(
    {".3fr", ".arw", ".cr2", ".cr3", ".dng", ".erf", ".iiq", ".kdc", ".mrw", ".nef", ".nrw", ".orf"}
    | {".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f"}
)
# Of what lies beside pictures and is none; of programs' own files, too.
SIDECAR_SUFFIXES = frozenset(
    {".aae", ".cfg", ".conf", ".css", ".csv", ".db", ".htm", ".html", ".ini", ".ipynb", ".js"}
    | {".json", ".jsonl", ".log", ".md", ".npz", ".py", ".rst", ".sh", ".srt", ".thm", ".toml"}
    | {".tsv", ".txt", ".vtt", ".xml", ".xmp", ".yaml", ".yml"}
)


def is_picture(path: Path) -> bool:
    """Tells whether a file counts as a picture, by its name alone."""
    return path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".")
