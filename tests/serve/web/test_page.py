"""The page in a browser: logs in, sees boxes move, opens an alert, zooms, drops a picture."""

import base64
import shutil
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright, to drive a browser")
axe_playwright = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="needs axe, to look for what hinders people"
)

from maskdet.serve.watching.networks import Networks  # noqa: E402
from maskdet.serve.web.running import PageServer  # noqa: E402
from serve_site import DOOR, GATE, PASSWORD, SAMPLES, USER, Shop, add_cheap_user  # noqa: E402

pytestmark = pytest.mark.server

VIEWS = ("live", "statistics", "alerts", "try", "settings")
# A photograph is dropped as a browser does it: as a file that a script cannot make by its path.
DROP = """
async ([selector, data]) => {
  const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], "photo.jpg", { type: "image/jpeg" }));
  const options = { dataTransfer: transfer, bubbles: true, cancelable: true };
  document.querySelector(selector).dispatchEvent(new DragEvent("drop", options));
}
"""


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, networks: Networks
) -> Iterator[tuple[Shop, str]]:
    """A shop whose page is served, with a user, two months of counts and an alert."""
    shop = Shop(tmp_path_factory.mktemp("shop"), networks)
    add_cheap_user(shop.site.server.users)
    shop.show()
    shop.remember()
    shop.alert(clip=True)
    shop.lose()
    server = PageServer(shop.hub, replace(shop.site.server, port=0))
    with server, shop.running():
        yield shop, server.address
    shop.hub.store.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The system's Chromium, one for all."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("needs Chromium")
    with sync_api.sync_playwright() as playwright:
        # Containers run it as their administrator, which its sandbox refuses.
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def cookies(browser: Any, served: tuple[Shop, str]) -> list[Any]:
    """Logs in by the form, first with a wrong password, and returns the session."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{served[1]}#alerts")
    page.wait_for_url("**/login*")
    for password in ("wrong password", PASSWORD):
        page.get_by_label("Name").fill(USER)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Log in").click()
        if password != PASSWORD:
            page.get_by_text("Name or password is wrong.").wait_for()
    # Back to the view that was asked for.
    page.get_by_role("heading", name="Alerts", exact=True).wait_for()
    found: list[Any] = context.cookies()
    context.close()
    return found


@pytest.fixture
def page(browser: Any, served: tuple[Shop, str], cookies: list[Any]) -> Iterator[Any]:
    """The page of somebody who has logged in; whatever its console says fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.add_cookies(cookies)
    page = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(served[1])
    yield page
    # What is under way while somebody logs out is refused, as it has to be.
    assert not [text for text in said if "401 (Unauthorized)" not in text]
    elsewhere = [url for url in asked if not url.startswith((served[1], "blob:", "data:"))]
    assert not elsewhere, "the page asked another host"
    context.close()


def test_boxes_move_and_numbers_follow(page: Any) -> None:
    """The live picture is a picture, its boxes are elsewhere in the next; states are said."""
    view = page.get_by_role("button", name=f"{DOOR}: Watching")
    view.locator("img").wait_for()
    first = view.get_attribute("data-boxes")
    assert first is not None
    page.wait_for_function(
        "([name, first]) => document.querySelector(`[data-camera='${name}']`).dataset.boxes"
        " !== first",
        arg=[DOOR, first],
    )
    assert (
        view.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)") > 300
    )
    page.get_by_text("No connection").first.wait_for()
    page.get_by_text("does not answer").first.wait_for()
    assert page.locator("#today").inner_text().split()[:2] == ["214", "Mask"]
    assert page.locator("#cameras-up").inner_text() == "1 / 2"
    view.click()
    page.get_by_role("dialog").locator("img").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="hidden")


def test_an_alert_opens_and_a_new_one_arrives(page: Any, served: tuple[Shop, str]) -> None:
    """With its clip, by keyboard; another one appears by itself while one looks."""
    latest = page.locator("#latest button")
    latest.first.wait_for()
    before = latest.count()
    latest.first.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("4 s").wait_for()
    video = dialog.locator("video")
    page.wait_for_function("() => document.querySelector('dialog video').readyState >= 2")
    assert video.evaluate("video => video.duration") > 0.5
    dialog.get_by_role("button", name="Close").click()
    served[0].alert()
    latest.nth(before).wait_for()


def test_the_chart_is_looked_into(page: Any) -> None:
    """From three months to a part of them by dragging, and back; the table says the same."""
    page.get_by_role("link", name="Statistics").click()
    span = page.locator("#span")
    page.get_by_role("button", name="3 months").click()
    page.get_by_text("by the day").wait_for()
    whole = span.inner_text()
    over = page.locator("#chart .u-over").bounding_box()
    middle = over["y"] + over["height"] / 2
    page.mouse.move(over["x"] + over["width"] * 0.7, middle)
    page.mouse.down()
    page.mouse.move(over["x"] + over["width"] * 0.76, middle, steps=4)
    page.mouse.up()
    page.get_by_text("by the hour").wait_for()
    assert span.inner_text() != whole
    page.locator("#chart .u-over").dblclick()
    page.get_by_text("by the day").wait_for()
    assert span.inner_text() == whole
    page.get_by_role("button", name="Hour", exact=True).click()
    page.get_by_text("by the minute").wait_for()
    page.locator("#chart-what").select_option("count")
    page.get_by_text("As a table").click()
    assert page.locator("#numbers tbody tr").count() == int(
        page.locator("#chart").get_attribute("data-points")
    )
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as CSV").click()
    assert "with_mask" in download.value.path().read_text()


def test_a_picture_is_dropped(page: Any) -> None:
    """Boxes, then the heat map, are shown of it; what is no picture is told so."""
    page.get_by_role("link", name="Try a picture").click()
    data = base64.b64encode((SAMPLES / "astronaut_masked.jpg").read_bytes()).decode()
    page.locator("#drop").wait_for()
    page.evaluate(DROP, ["#drop", data])
    page.get_by_text("1 face found.").wait_for()
    page.locator("#faces").get_by_text("Mask").wait_for()
    boxes = page.locator("#result-picture").get_attribute("src")
    page.get_by_role("button", name="Heat map").click()
    assert page.locator("#result-picture").get_attribute("src") != boxes


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_nothing_hinders_people(page: Any, width: int, scheme: str) -> None:
    """Axe finds no serious violation in any view, and nothing is wider than the screen."""
    axe = axe_playwright.Axe()
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 844})
    for view in VIEWS:
        page.evaluate(f"location.hash = '{view}'")
        page.locator(f"#view-{view}").wait_for()
        page.wait_for_load_state("load")
        found = axe.run(page).response["violations"]
        serious = [
            (one["id"], [node["html"][:100] for node in one["nodes"]])
            for one in found
            if one["impact"] in ("serious", "critical")
        ]
        assert not serious, view
        assert page.evaluate("document.documentElement.scrollWidth") <= width, view


def test_light_and_dark(page: Any) -> None:
    """As the system has it, whenever that changes; what the button says is kept."""

    def ground() -> str:
        shown: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return shown

    grounds = []
    for scheme in ("light", "dark", "light"):
        page.emulate_media(color_scheme=scheme)
        page.locator(f"html[data-theme={scheme}]").wait_for(state="attached")
        grounds.append(ground())
    assert grounds[0] == grounds[2] != grounds[1]
    page.get_by_role("button", name="Dark").click()
    assert ground() == grounds[1]
    page.reload()
    page.get_by_role("button", name="Light").wait_for()
    assert ground() == grounds[1]
    page.get_by_role("button", name="Light").click()
    assert ground() == grounds[0]
    page.evaluate("localStorage.removeItem('theme')")
    page.reload()


def test_the_log_in_hinders_nobody(browser: Any, served: tuple[Shop, str]) -> None:
    """The same of the form before it all."""
    page = browser.new_page()
    page.goto(f"{served[1]}login")
    found = axe_playwright.Axe().run(page).response["violations"]
    assert not [one["id"] for one in found if one["impact"] in ("serious", "critical")]
    page.close()


def test_the_apis_page_is_served_from_here(page: Any, served: tuple[Shop, str]) -> None:
    """Swagger UI shows the routes, and asks no other host."""
    page.goto(f"{served[1]}docs")
    page.get_by_text("/api/statistics", exact=True).wait_for()


def test_logging_out(page: Any) -> None:
    """Ends at the log-in; comes last, as it ends the session of all."""
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login")
    page.goto(page.url.replace("login", ""))
    page.wait_for_url("**/login")
    assert GATE not in page.content()
