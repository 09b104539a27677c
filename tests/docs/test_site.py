"""The documentation site: it builds, it is whole, and it needs nothing from elsewhere."""

import html
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import click
import pytest

import maskdet as package
from command_line import ROOT
from site_commands import all_commands, top_commands
from site_hooks import add_unnamed
from site_links import turned

# What makes a browser fetch something by itself.
FETCHED = re.compile(
    r'<(?:script|img|iframe|source|video|audio)[^>]*?\ssrc="([^"]+)"'
    r'|<link[^>]*?\shref="([^"]+)"|url\(["\']?([^"\')]+)|@import ["\']([^"\']+)'
)
REFERRED = re.compile(r'<(?:a|link)[^>]*?\shref="([^"]+)"')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        env={
            **os.environ,
            "NO_MKDOCS_2_WARNING": "1",
            "PYTHONPATH": str(Path(package.__file__).parents[1]),
        },
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not done.stderr.strip(), done.stderr
    return folder


def plain(page: Path) -> str:
    """Returns a page's words without its elements."""
    inside = page.read_text(encoding="utf-8").split("<article", 1)[1].split("</article>", 1)[0]
    return html.unescape(re.sub(r"<[^>]+>", "", inside))


def test_nothing_comes_from_elsewhere(site: Path) -> None:
    """No page and no style has a script, font, picture or style of another host."""
    files = [*site.rglob("*.html"), *site.rglob("*.css")]
    assert len(files) > len(top_commands())
    for file in files:
        for found in FETCHED.finditer(file.read_text(encoding="utf-8")):
            address = next(part for part in found.groups() if part)
            assert not urlsplit(address).netloc, f"{file.name}: {address}"


def test_every_link_leads_somewhere(site: Path) -> None:
    """What a page links to on the site is there; so is the place in the page."""
    ids = {
        file: set(re.findall(r'\sid="([^"]+)"', file.read_text(encoding="utf-8")))
        for file in site.rglob("*.html")
    }
    for file in ids:
        for address in REFERRED.findall(file.read_text(encoding="utf-8")):
            parts = urlsplit(html.unescape(address))
            if parts.scheme or file.name == "404.html":
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            assert target.exists(), f"{file.name}: {address}"
            if parts.fragment and target in ids and parts.fragment != "__skip":
                assert unquote(parts.fragment) in ids[target], f"{file.name}: {address}"


def test_every_option_is_on_its_commands_page(site: Path) -> None:
    """Each option is named and explained on the page of its command."""
    for words, command in all_commands():
        said = plain(site / "commands" / f"{words.split()[0]}.html")
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert all(option in said for option in parameter.opts), f"{words}: {parameter}"
                assert parameter.help, f"{words}: {parameter.name} is not explained"


def test_every_public_name_is_in_the_reference(site: Path) -> None:
    """Each name of the Python API has a place in the reference, members of classes too."""
    text = (site / "reference.html").read_text(encoding="utf-8")
    ids = set(re.findall(r'id="maskdet\.([^"]+)"', text))
    said = plain(site / "reference.html")
    for name in package.__all__:
        assert name in ids or f"maskdet.{name} " in said, name
        value = getattr(package, name)
        for member, what in vars(value).items() if isinstance(value, type) else ():
            if callable(what) and (not member.startswith("_") or member == "__call__"):
                assert f"{name}.{member}" in ids


def test_no_page_can_be_lost() -> None:
    """Pages that the navigation does not name are added to a section, each once."""
    nav = [{"Start": ["index.md", {"More": [{"A": "a.md"}]}]}, {"Topics": ["b.md"]}]
    add_unnamed(nav, ["d.md", "index.md", "a.md", "b.md", "c/e.md"])
    assert nav[1] == {"Topics": ["b.md", "c/e.md", "d.md"]}


def test_links_to_what_is_no_page_become_words() -> None:
    """A link works in the repository and on the site, also out of a folder, and with an anchor."""
    pages = {"models/README.md": "models/classifier.md"}
    text = "[a](../models/README.md#x) [b](https://b.org) [c](#c) [d](../LICENSE) [e](f.md)\n"
    code = "\n    [a](b.md)\n"
    assert turned(text + code, "docs/how.md", "how.md", pages) == (
        "[a](models/classifier.md#x) [b](https://b.org) [c](#c) d [e](f.md)\n" + code
    )
    deeper = turned("![x](docs/images/x.png) [m](models/)", "README.md", "a/b.md", pages)
    assert deeper == "![x](../images/x.png) [m](../models/classifier.md)"


@pytest.mark.server
def test_search_works_from_the_disk(site: Path) -> None:
    """A browser that opens the page as a file finds words of other pages, and no error."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("needs chromium, which is not installed")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto((site / "index.html").as_uri())
        page.locator(".md-search__input").click()
        page.locator(".md-search__input").press_sequentially("cool-down")
        page.locator('.md-search-result__link[href*="alerts.html"]').first.wait_for()
        assert not errors
        browser.close()
