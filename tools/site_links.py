"""Links between the repository's files, turned into links between the site's pages.

Pages are written so that their links work where the repository is looked at. On the site files from
outside `docs/` stand elsewhere, or nowhere.
"""

import posixpath
import re
from collections.abc import Callable, Mapping

_LINK = re.compile(r"(?P<mark>!?)\[(?P<text>(?:[^\[\]]|\[[^\]]*\])*)\]\((?P<target>[^()\s]+)\)")
_FENCE = re.compile(r"^(```|~~~)")
_INDENTED = "    "


def turned(text: str, origin: str, place: str, pages: Mapping[str, str], docs: str = "docs") -> str:
    """Returns a page's text with its links as they have to be on the site.

    Args:
        text: Markdown.
        origin: path in the repository of the file it is from.
        place: path of the page on the site, from the folder of pages.
        pages: path in the repository to path on the site, of files from outside that folder.
        docs: the folder of pages, in the repository.

    Links to files that the site does not have become plain words.
    """

    def turn(found: re.Match[str]) -> str:
        target, _, anchor = found["target"].partition("#")
        if not target or ":" in target or target.startswith("/"):
            return found[0]
        file = posixpath.normpath(posixpath.join(posixpath.dirname(origin), target))
        # Of a folder its README is shown, where the repository is looked at.
        page = pages.get(file) or pages.get(f"{file}/README.md")
        if page is None:
            if not file.startswith(f"{docs}/"):
                return found["text"]
            page = file.removeprefix(f"{docs}/")
        where = posixpath.relpath(page, posixpath.dirname(place) or ".")
        return f"{found['mark']}[{found['text']}]({where}{'#' + anchor if anchor else ''})"

    return _outside_code(text, lambda line: _LINK.sub(turn, line))


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    """Returns a text with each part of it changed that is no block of code."""
    parts: list[str] = []
    prose: list[str] = []
    fenced = False
    for line in text.splitlines(keepends=True):
        is_fence = bool(_FENCE.match(line))
        if is_fence or fenced or line.startswith(_INDENTED):
            parts += [change("".join(prose)), line]
            prose = []
            fenced ^= is_fence
        else:
            prose.append(line)
    return "".join([*parts, change("".join(prose))])
