"""The users file, sessions, and what slows down guessing."""

import json
import stat
from pathlib import Path

import pytest

from maskdet.errors import MaskdetError, OptionError
from maskdet.serve.site.settings import ServerSettings
from maskdet.serve.web.access.opening import ServerError, check_server, is_local
from maskdet.serve.web.access.sessions import Sessions
from maskdet.serve.web.access.throttle import Throttle, network_of
from maskdet.serve.web.access.users import Users, UsersError, add_user, read_users
from serve_site import PASSWORD, USER, add_cheap_user


class Clock:
    """A clock that goes when it is told to."""

    now = 1000.0

    def __call__(self) -> float:
        """Returns the time."""
        return self.now


def test_a_password_costs_what_guessing_is_to_cost(tmp_path: Path) -> None:
    """32 MB and three passes, as OWASP advises, with a salt of its own."""
    add_user(tmp_path / "users.json", "otto", "long enough")
    (text,) = json.loads((tmp_path / "users.json").read_text()).values()
    assert text.startswith("scrypt:32768:8:3:")
    assert len(text.split(":")[4]) >= 22


def test_a_user_is_entered_and_known_by_the_password_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file holds no password, is the owner's alone, and keeps the users it had."""
    monkeypatch.setattr("maskdet.serve.web.access.users._COST", 16)
    path = tmp_path / "users.json"
    add_cheap_user(path)
    assert add_user(path, "otto", "long enough")
    assert not add_user(path, "otto", "long enough, too")
    assert list(read_users(path)) == [USER, "otto"]
    assert "long enough" not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    users = Users(path)
    assert users.check("otto", "long enough, too")
    assert not users.check("otto", "long enough")
    assert users.check(USER, PASSWORD)
    assert not users.check(USER, "")


def test_who_does_not_exist_is_looked_at_for_as_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that is not there costs a hash, too: how long it takes tells nobody which are."""
    add_cheap_user(tmp_path / "users.json")
    costs: list[int] = []

    def scrypt(_: str, cost: int, *__: object) -> bytes:
        costs.append(cost)
        return bytes(32)

    monkeypatch.setattr("maskdet.serve.web.access.users._scrypt", scrypt)
    assert not Users(tmp_path / "users.json").check("nobody", PASSWORD)
    assert costs == [2**15]


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("", "long enough"),
        ("a:b", "long enough"),
        ("../x", "long enough"),
        ("x" * 65, "long enough"),
        ("otto", "short"),
        ("otto", "x" * 1025),
        ("ottootto", "OttoOtto"),
    ],
)
def test_names_and_passwords_that_will_not_do_are_refused(
    tmp_path: Path, name: str, password: str
) -> None:
    """Nothing is written, and the password is not repeated."""
    path = tmp_path / "users.json"
    with pytest.raises(UsersError) as caught:
        add_user(path, name, password)
    assert not path.exists()
    assert password not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        "anna:secret-word",
        '["anna"]',
        '{"anna": "secret-word"}',
        '{"anna": 1}',
        '{"anna": "scrypt:1000000000:8:1:AAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAAAA"}',
        '{"anna": "scrypt:15:8:1:AAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAAAA"}',
        '{"anna": "scrypt:16:8:1:!:AAAAAAAAAAAAAAAAAAAAAAAA"}',
        '{"an/na": "scrypt:16:8:1:AAAAAAAAAAAAAAAA:AAAAAAAAAAAAAAAAAAAAAAAA"}',
    ],
)
def test_a_file_that_is_none_of_ours_is_named_and_not_quoted(tmp_path: Path, content: str) -> None:
    """A password that somebody wrote in by hand is not printed; no hash may take all memory."""
    path = tmp_path / "users.json"
    path.write_text(content)
    with pytest.raises(UsersError, match=r"users\.json") as caught:
        Users(path)
    assert "secret-word" not in str(caught.value)


def test_a_change_of_the_file_is_noticed(tmp_path: Path) -> None:
    """Who is taken out is out at once; a lost or damaged file opens the page to nobody."""
    path = tmp_path / "users.json"
    users = Users(path)
    assert not users.is_asked
    add_cheap_user(path)
    assert users.is_asked
    assert users.check(USER, PASSWORD)
    path.write_text("{}")
    assert not users.check(USER, PASSWORD)
    path.write_text("damaged")
    assert users.is_asked
    path.unlink()
    assert users.is_asked
    assert users.current() == {}


def test_sessions_end_by_age_by_disuse_and_with_the_password(tmp_path: Path) -> None:
    """A session lasts while it is used, up to a bound, and not beyond its user's password."""
    path = tmp_path / "users.json"
    add_cheap_user(path)
    clock = Clock()
    sessions = Sessions(Users(path), unused=10, longest=25, most=2, clock=clock)
    token, session = sessions.begin(USER) or pytest.fail("no session")
    for _ in range(2):
        clock.now += 9
        assert sessions.find(token) is session
    clock.now += 9
    assert sessions.find(token) is None
    token = (sessions.begin(USER) or pytest.fail("no session"))[0]
    clock.now += 11
    assert sessions.find(token) is None
    first, second, third = ((sessions.begin(USER) or pytest.fail("none"))[0] for _ in range(3))
    assert [sessions.find(one) is None for one in (first, second, third)] == [True, False, False]
    sessions.end(second)
    assert sessions.find(second) is None
    hashes = json.loads(path.read_text())
    hashes[USER] = hashes[USER].replace("scrypt:16", "scrypt:32")
    path.write_text(json.dumps(hashes))
    assert sessions.find(third) is None
    assert sessions.begin("nobody") is None


def test_each_further_failure_doubles_the_wait() -> None:
    """The first few are free; time and success make them forgotten; memory is bounded."""
    clock = Clock()
    throttle = Throttle(free=2, first_wait=2, longest_wait=7, most=10, clock=clock)
    waits = []
    for _ in range(6):
        throttle.fail("a")
        waits.append(throttle.wait("a"))
    assert waits == [0, 0, 2, 4, 7, 7]
    assert throttle.wait("b") == 0
    clock.now += 7 + 7 + 1
    assert throttle.wait("a") == 0
    throttle.fail("a")
    assert throttle.wait("a") == 0
    for _ in range(3):
        throttle.fail("a")
    throttle.succeed("a")
    assert throttle.wait("a") == 0
    for number in range(1000):
        throttle.fail(f"{number}")
    assert len(throttle._failures) <= 10  # noqa: SLF001 - that memory is bounded


def test_an_ipv6_network_counts_as_one_address() -> None:
    """Whoever has one address of it has them all."""
    assert network_of("2001:db8::1") == network_of("2001:db8::2:1") == "2001:db8::/64"
    assert network_of("::ffff:10.0.0.1") == network_of("10.0.0.1") == "10.0.0.1"
    assert network_of("fe80::1%eth0") == "fe80::/64"
    assert network_of("testclient") == "testclient"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "shop.example"])
def test_no_other_address_without_users(tmp_path: Path, host: str) -> None:
    """Another address, or a proxy, needs somebody who has to log in."""
    settings = ServerSettings(host=host, users=tmp_path / "users.json")
    assert not is_local(host)
    with pytest.raises(OptionError, match="--add-user"):
        check_server(settings)
    with pytest.raises(OptionError, match="--add-user"):
        check_server(ServerSettings(users=settings.users, behind_proxy=True))
    add_cheap_user(settings.users)
    check_server(settings)


def test_a_certificate_is_tried_first(tmp_path: Path) -> None:
    """What is missing, is no certificate, or a key without one, is named before anything runs."""
    users = tmp_path / "users.json"
    check_server(ServerSettings(users=users, host="::1"))
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate")
    for certificate, key, word in (
        (tmp_path / "none.pem", None, "no such file"),
        (wrong, wrong, "no certificate"),
        (None, wrong, "without its certificate"),
    ):
        with pytest.raises(MaskdetError, match=word) as caught:
            check_server(ServerSettings(users=users, certificate=certificate, key=key))
        assert isinstance(caught.value, ServerError | OptionError)
