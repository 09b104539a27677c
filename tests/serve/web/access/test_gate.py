"""The gate before every route: log-in, the word of a session, other sites, headers."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from maskdet.serve.web.access.gate import is_open
from maskdet.serve.web.access.identity import Identity
from maskdet.serve.web.access.throttle import Throttle
from maskdet.serve.web.access.users import Users
from serve_site import DOOR, PASSWORD, SECRET, USER, Shop, add_cheap_user

JPEG = b"\xff\xd8\xff"


def paths_of(asker: Any) -> list[tuple[str, str]]:
    """Returns each route's method and a path, as the application itself has them."""
    schema = asker.get("/openapi.json", auth=(USER, PASSWORD)).json()
    described = [
        (method.upper(), path) for path, methods in schema["paths"].items() for method in methods
    ]
    hidden = [("GET", path) for path in ("/", "/docs", "/openapi.json", "/api/pictures?camera=x")]
    return [
        (method, path.replace("{name}", DOOR).replace("{identity}", "0" * 32))
        for method, path in [*described, *hidden]
    ]


def test_every_route_is_closed_without_a_log_in(stranger: Any) -> None:
    """But those that are open by name; pages lead to the log-in, the rest says 401."""
    closed = [(method, path) for method, path in paths_of(stranger) if not is_open(path)]
    assert len(closed) > 15
    add = (
        "/api/cameras/%2e%2e/login",
        "/static/%2e%2e/api/cameras",
        "//api/cameras",
        "/api/cameras/",
    )
    for method, path in [*closed, *(("GET", path) for path in add)]:
        answer = stranger(method, path)
        assert answer.status_code in (303, 401, 404), (method, path)
        assert DOOR not in answer.text
        if answer.status_code == 303:
            assert answer.headers["location"] == "/login"
            assert path in ("/", "/docs")
    for path in ("/healthz", "/login", "/static/page.css", "/favicon.ico"):
        assert stranger.get(path).status_code == 200, path


def test_programs_are_asked_for_a_password_and_browsers_are_not(stranger: Any) -> None:
    """A browser's own form would send name and password from then on, whoever makes it ask."""
    assert "Basic" in stranger.get("/metrics").headers["www-authenticate"]
    browser = stranger.get("/metrics", headers={"sec-fetch-site": "same-origin"})
    assert browser.status_code == 401
    assert "www-authenticate" not in browser.headers
    assert stranger.get("/metrics", auth=(USER, PASSWORD)).status_code == 200
    assert stranger.get("/metrics", auth=(USER, "wrong")).status_code == 401


def test_the_cookie_is_for_this_site_and_no_script(stranger: Any) -> None:
    """HttpOnly, SameSite, of the whole site; over TLS it is Secure and bears the prefix."""
    cookie = stranger.log_in().headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/;" in cookie
    assert "secure" not in cookie
    assert PASSWORD not in cookie


def test_the_cookie_over_tls(asking: Callable[..., Any]) -> None:
    """Behind a proxy that speaks TLS, the cookie does not leave it, and is no other host's."""
    asker = asking(users=True, behind_proxy=True)
    cookie = asker.log_in(headers={"x-forwarded-proto": "https"}).headers["set-cookie"]
    assert cookie.startswith("__Host-maskdet_session=")
    assert "secure" in cookie.lower()


def test_what_is_posted_bears_the_sessions_word(anna: Any) -> None:
    """Without it, or with another, nothing is done; logging out needs it, too."""
    word = anna.get("/api/session").json()["csrf"]
    for headers in (
        {},
        {"x-csrf-token": ""},
        {"x-csrf-token": word[:-1]},
        {"x-csrf-token": b"\xe4"},
    ):
        assert anna.post("/api/detect", content=JPEG, headers=headers).status_code == 403
        assert anna.post("/api/logout", headers=headers).status_code == 403
    assert anna.get("/api/cameras").status_code == 200
    right = {"x-csrf-token": word}
    assert anna.post("/api/detect", content=JPEG, headers=right).status_code == 415
    assert anna.post("/api/logout", headers=right).status_code == 204
    assert anna.get("/api/cameras").status_code == 401


def test_a_session_that_has_ended_cannot_be_taken_up(anna: Any) -> None:
    """The cookie is of no use after logging out, nor is one that was made up."""
    kept = dict(anna.cookies)
    assert kept
    word = anna.get("/api/session").json()["csrf"]
    anna.post("/api/logout", headers={"x-csrf-token": word})
    anna.cookies = kept
    assert anna.get("/api/cameras").status_code == 401
    anna.cookies = dict.fromkeys(kept, "x" * 43)
    assert anna.get("/api/cameras").status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "http://["},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_other_sites_post_nothing(asking: Callable[..., Any], headers: dict[str, str]) -> None:
    """Neither where nobody has to log in, nor to log somebody in."""
    asker = asking()
    assert asker.post("/api/detect", content=JPEG, headers=headers).status_code == 403
    assert asking(users=True).log_in(headers=headers).status_code == 403


def test_other_sites_embed_nothing_and_may_link(asker: Any) -> None:
    """Pictures on another site's page are refused, a link to the page is not."""
    foreign = {"sec-fetch-site": "cross-site"}
    picture = f"/api/cameras/{DOOR}/picture.jpg"
    assert asker.get(picture, headers={**foreign, "sec-fetch-mode": "no-cors"}).status_code == 403
    assert asker.get("/", headers={**foreign, "sec-fetch-mode": "navigate"}).status_code == 200
    own = {"origin": "http://127.0.0.1:8000", "sec-fetch-site": "same-origin"}
    assert asker.post("/api/detect", content=JPEG, headers=own).status_code == 415


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "", "[", "127.0.0.1.evil.example"]
)
def test_a_foreign_name_for_this_machine_is_not_served(asker: Any, host: str) -> None:
    """A page whose name was made to point here would have the rights of who sits here."""
    assert asker.get("/api/cameras", headers={"host": host}).status_code == 421
    for own in ("localhost:8000", "127.0.0.1", "[::1]:8000"):
        assert asker.get("/api/cameras", headers={"host": own}).status_code == 200


def test_guessing_is_slowed_down(shop: Shop, asking: Callable[..., Any]) -> None:
    """By address, be it in the form or in the header; the right password waits, too."""
    add_cheap_user(shop.site.server.users)
    identity = Identity(Users(shop.site.server.users), by_address=Throttle(free=2))
    asker = asking(identity=identity)
    assert [asker.log_in(password="wrong").status_code for _ in range(4)] == [401, 401, 401, 429]
    answer = asker.log_in()
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert asker.get("/api/cameras", auth=(USER, PASSWORD)).status_code == 429


def test_a_name_is_slowed_down_whatever_the_address(shop: Shop, asking: Callable[..., Any]) -> None:
    """A proxy's word on the address counts; what clients put before it does not."""
    add_cheap_user(shop.site.server.users)
    users = Users(shop.site.server.users)
    asker = asking(identity=Identity(users, by_name=Throttle(free=3)), behind_proxy=True)
    statuses = [
        asker.log_in(password="wrong", headers={"x-forwarded-for": f"10.0.0.{n}"}).status_code
        for n in range(5)
    ]
    assert statuses == [401, 401, 401, 401, 429]
    asker = asking(identity=Identity(users, by_address=Throttle(free=1)), behind_proxy=True)
    statuses = [
        asker.log_in(
            password="wrong", headers={"x-forwarded-for": f"1.2.3.{n}, 10.0.0.9"}
        ).status_code
        for n in range(3)
    ]
    assert statuses == [401, 401, 429]


def test_known_programs_cost_one_check(shop: Shop, asking: Callable[..., Any]) -> None:
    """Prometheus asks every few seconds; its password is not hashed each time."""
    add_cheap_user(shop.site.server.users)
    users = Users(shop.site.server.users)
    asker = asking(identity=Identity(users))
    checks: list[str] = []
    check = users.check
    users.check = lambda name, word: (checks.append(name), check(name, word))[1]  # type: ignore[method-assign]
    for _ in range(3):
        assert asker.get("/api/cameras", auth=(USER, PASSWORD)).status_code == 200
    assert checks == [USER]
    shop.site.server.users.write_text("{}")
    assert asker.get("/api/cameras", auth=(USER, PASSWORD)).status_code == 401


def test_every_answer_bears_the_headers(asker: Any) -> None:
    """Pages, errors and files alike; scripts come from here alone."""
    for path in ("/", "/login", "/docs", "/api/cameras", "/nothing", "/static/main.js"):
        headers = asker.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe-eval" not in policy
        assert ("unsafe-inline" in policy) == (path == "/docs")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["cache-control"] == ("no-cache" if path in PAGES else "no-store"), path
        assert "server" not in headers


PAGES = {"/", "/login", "/docs", "/static/main.js"}


def test_no_secret_is_in_any_answer(asker: Any, shop: Shop) -> None:
    """The camera's password stands in its source, and in nothing that is answered."""
    shop.alert()
    assert SECRET in shop.site.cameras[1].source
    for method, path in paths_of(asker):
        if method == "GET" and not re.search(r"mjpeg|live|pictures", path):
            assert SECRET.encode() not in asker.get(path).content, path
