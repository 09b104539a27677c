"""The page's own files, held in memory: no path of a request ever reaches the disk."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response

_TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "webmanifest": "application/manifest+json",
}
# Below this a packet is not filled anyway. Bytes.
_WORTH_PACKING = 1400


@dataclass(frozen=True)
class Asset:
    """A file of the page.

    Attributes:
        content: as it is on disk.
        packed: by gzip, where that is shorter.
        kind: its media type.
        tag: changes with the content.
    """

    content: bytes
    packed: bytes | None
    kind: str
    tag: str

    @classmethod
    def of(cls, content: bytes, suffix: str) -> "Asset":
        """Packs a file."""
        packed = gzip.compress(content, 6, mtime=0) if len(content) > _WORTH_PACKING else None
        tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        return cls(content, packed, _TYPES[suffix], tag)

    def answer(self, request: Request) -> Response:
        """Answers a request for it: a browser that has it is told that it is still good."""
        headers = {"etag": self.tag, "cache-control": "no-cache", "vary": "accept-encoding"}
        if request.headers.get("if-none-match") == self.tag:
            return Response(status_code=304, headers=headers)
        content = self.content
        if self.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            content = self.packed
            headers["content-encoding"] = "gzip"
        return Response(content, headers=headers, media_type=self.kind)


@cache
def asset(name: str) -> Asset | None:
    """Returns a file of the page by its name, ``None`` where there is none.

    Args:
        name: below ``static/``, such as ``vendor/uplot.js``: looked up among the files there are,
            never joined to a path.
    """
    found = _files().get(name)
    return None if found is None else Asset.of(found.read_bytes(), name.rpartition(".")[2])


@cache
def _files() -> dict[str, Traversable]:
    return dict(_listed(files("maskdet.serve.web") / "static", ""))


def _listed(folder: Traversable, above: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _listed(entry, f"{above}{entry.name}/")
        elif entry.name.rpartition(".")[2] in _TYPES:
            found.append((above + entry.name, entry))
    return found
