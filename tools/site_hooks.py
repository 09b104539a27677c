"""What mkdocs calls while it builds the documentation site; see `mkdocs.yml`.

It adds the pages that are files of the repository outside `docs/`, notebooks among them, a page for
each command that has none of its own, and the options of commands where a page asks for them.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from site_commands import all_commands, options_page, top_commands
from site_links import turned
from site_notebooks import notebook_page

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]

# Files of the repository to the pages they become.
PAGES = {
    "README.md": "index.md",
    "models/README.md": "models/classifier.md",
    "face_detector/README.md": "models/faces.md",
    "face_detector/original/README.md": "models/original.md",
    "dataset/README.md": "class-folders.md",
    "samples/README.md": "samples.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}
PAGES |= {
    f"notebooks/{path.name}": f"notebooks/{path.stem}.md"
    for path in (ROOT / "notebooks").glob("*.ipynb")
}

# In a page: where the options of a command go.
_OPTIONS = re.compile(r"^<!-- options: ([a-z -]+?) -->$", re.MULTILINE)
# An option, say, with its value; what is longer has to be broken on a phone.
_SHORT_CODE = re.compile(r"<code>([^<>]{1,26})</code>")


def on_config(config: "MkDocsConfig") -> "MkDocsConfig":
    """Lists every command in the navigation, in the order of ``maskdet --help``."""
    for section in config.nav or []:
        if "Commands" in section:
            section["Commands"] = [{name: f"commands/{name}.md"} for name in top_commands()]
    return config


def on_files(files: "Files", config: "MkDocsConfig") -> "Files":
    """Adds pages that are not in the folder of pages."""
    from mkdocs.structure.files import File

    for origin, page in PAGES.items():
        if not origin.endswith(".md"):
            continue
        files.append(File.generated(config, page, content=(ROOT / origin).read_text("utf-8")))
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        text, pictures = notebook_page(path)
        files.append(File.generated(config, f"notebooks/{path.stem}.md", content=text))
        for name, data in pictures.items():
            PAGES[f"notebooks/{name}"] = f"notebooks/{name}"
            files.append(File.generated(config, f"notebooks/{name}", content=data))
    for name in top_commands():
        page = f"commands/{name}.md"
        if files.get_file_from_path(page) is None:
            files.append(File.generated(config, page, content=command_page(name)))
    add_unnamed(config.nav or [], [file.src_uri for file in files.documentation_pages()])
    return files


def add_unnamed(nav: list[Any], pages: list[str], section: str = "Topics") -> None:
    """Adds to a section what the navigation does not name, so that no page can be lost.

    Args:
        nav: of `mkdocs.yml`, which is changed.
        pages: all there are.
        section: where they go, in the order of their names.
    """
    named = set(_named(nav))
    for entry in nav:
        if section in entry:
            entry[section] += sorted(page for page in pages if page not in named)


def _named(nav: Any) -> Iterator[str]:
    """Yields the pages of a navigation."""
    if isinstance(nav, str):
        yield nav
    for entry in nav if isinstance(nav, list) else nav.values() if isinstance(nav, dict) else ():
        yield from _named(entry)


def on_page_markdown(
    markdown: str, page: "Page", config: "MkDocsConfig", files: "Files"
) -> str:  # mkdocs gives all four by name
    """Puts in options, and turns links."""
    del config, files
    place = page.file.src_uri
    origin = next((file for file, at in PAGES.items() if at == place), f"docs/{place}")
    text = _OPTIONS.sub(lambda found: options_page(found[1]), markdown)
    return turned(text, origin, place, PAGES)


def on_page_content(html: str, page: "Page", config: "MkDocsConfig", files: "Files") -> str:
    """Marks short words of code, which are not to be broken at their dashes."""
    del page, config, files
    return _SHORT_CODE.sub(r'<code class="short">\1</code>', html)


def command_page(name: str) -> str:
    """Returns the page of a command that nobody has written one for."""
    lines = [f"# maskdet {name}", ""]
    for words, command in all_commands():
        if words.split()[0] == name:
            if words != name:
                lines += [f"## {words}", ""]
            lines += [command.get_short_help_str(200), "", f"<!-- options: {words} -->", ""]
    return "\n".join(lines)
