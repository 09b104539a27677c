"""Requests made at random from the application's own description: none breaks it."""

import os
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest

pytest.importorskip("hypothesis", reason="needs hypothesis, to make requests")

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serve_site import DOOR, SECRET, Shop

REQUESTS = int(os.environ.get("FUZZ_REQUESTS", "180"))
# The same requests each time, and as many as asked for, however long one takes.
seeded = partial(
    settings,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
# What a server says of a request that it cannot do anything with; all else would be a mistake.
EXPECTED = {200, 204, 303, 400, 401, 403, 404, 405, 408, 413, 415, 421, 422, 429, 503}
# Streams have no end that a test could wait for.
ENDLESS = ("/api/live", "/live.mjpeg", "/api/pictures")

texts = st.text(max_size=30) | st.sampled_from([DOOR, "0" * 32, "..", "%00", "-1", "1e999", "null"])
wild = st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=20)


def value_of(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Makes what a parameter's description asks for, near it, or nothing of the kind."""
    kinds = schema.get("anyOf", [schema])
    right: list[st.SearchStrategy[Any]] = [texts]
    for kind in kinds:
        if "enum" in kind:
            right.append(st.sampled_from(kind["enum"]))
        elif kind.get("type") == "integer":
            right.append(st.integers())
        elif kind.get("type") == "number":
            right.append(st.floats())
        elif kind.get("format") == "date-time":
            right.append(st.datetimes().map(lambda moment: moment.isoformat()))
    return st.one_of(right)


@st.composite
def requests(draw: st.DrawFn, schema: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
    """Makes a request to one of the described routes, or to one beside them."""
    path = draw(st.sampled_from(sorted(schema["paths"])))
    methods = schema["paths"][path]
    method = draw(st.sampled_from([*methods, "get", "post", "put", "delete", "options", "head"]))
    described = methods.get(method, {})
    query = {}
    for parameter in described.get("parameters", []):
        value = draw(value_of(parameter["schema"]))
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", quote(str(value), safe=""))
        elif draw(st.booleans()):
            query[parameter["name"]] = value
    path = path.replace("{", "%7B")
    if draw(st.integers(0, 9)) == 0:
        path = "/" + quote(draw(texts), safe="/")
    more: dict[str, Any] = {"params": query}
    if method not in ("get", "head"):
        more["content"] = draw(st.binary(max_size=200) | texts.map(lambda text: text.encode()))
    headers = draw(
        st.dictionaries(
            st.sampled_from(
                ["authorization", "cookie", "origin", "range", "content-type", "if-none-match",
                 "x-forwarded-for", "x-csrf-token", "accept-encoding", "content-length-x"]
            ),
            wild,
            max_size=2,
        )
    )  # fmt: skip
    more["headers"] = {name: value.encode("latin-1") for name, value in headers.items()}
    return method.upper(), path, more


def test_no_request_breaks_it(shop: Shop, asking: Any) -> None:
    """No error of the server's, nothing told that is secret, whatever is asked."""
    shop.alert(clip=True)
    asker = asking()
    schema = asker.get("/openapi.json").json()
    schema["paths"] = {
        path: methods for path, methods in schema["paths"].items() if not path.endswith(ENDLESS)
    }
    statuses = set()

    @seeded(max_examples=REQUESTS)
    @given(request=requests(schema))
    def ask(request: tuple[str, str, dict[str, Any]]) -> None:
        method, path, more = request
        answer = asker(method, path, **more)
        statuses.add(answer.status_code)
        assert answer.status_code in EXPECTED, (answer.status_code, answer.text)
        assert SECRET not in answer.text
        assert "Traceback" not in answer.text
        assert str(shop.site.folder) not in answer.text

    ask()
    # Not all of them were refused at the door.
    assert {200, 404, 405, 422} <= statuses


def test_a_stranger_learns_nothing(shop: Shop, asking: Any) -> None:
    """The same without a log-in: whatever is asked, no camera is named."""
    asker = asking(users=True)
    schema = asking(users=True).get("/openapi.json", auth=("anna", "correct horse")).json()

    @seeded(max_examples=REQUESTS // 3)
    @given(request=requests(schema))
    def ask(request: tuple[str, str, dict[str, Any]]) -> None:
        method, path, more = request
        answer = asker(method, path, **more)
        assert answer.status_code in EXPECTED - {204}, answer.text
        assert DOOR not in answer.text
        assert shop.hub.site.folder.name not in answer.text

    ask()
