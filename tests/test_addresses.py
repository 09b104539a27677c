"""What of an address may be said: never what opens it."""

import pytest

from maskdet.addresses import looks_like_address, public_mistake, public_name, redacted


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("rtsp://admin:sEcret@10.0.0.5:554/ch1", "rtsp://10.0.0.5:554/ch1"),
        ("rtsp://admin:sE@cret@10.0.0.5/ch1", "rtsp://10.0.0.5/ch1"),
        ("rtsp://admin:sE/cret@10.0.0.5/ch1", "rtsp://10.0.0.5/ch1"),
        ("rtsp://admin:sE?cret#@10.0.0.5/ch1", "rtsp://10.0.0.5/ch1"),
        ("rtsp://admin:12/sEcret@10.0.0.5/ch1", "rtsp://10.0.0.5/ch1"),
        ("RTSP://sEcret@gate/ch1", "RTSP://gate/ch1"),
        ("rtsp://[fe80::1]:554/live", "rtsp://[fe80::1]:554/live"),
        ("http://host:8080/@user/live", "http://host:8080/@user/live"),
        (
            "rtsp://h/user=admin_password=sEcret_channel=1_stream=0.sdp?real_stream",
            "rtsp://h/user=***_password=***_channel=1_stream=0.sdp?real_stream",
        ),
        (
            "rtsp://h/user=admin&password=sEc_ret&channel=1",
            "rtsp://h/user=***&password=***&channel=1",
        ),
        ("rtsp://h/user=a_password=sE_cret_channel=1", "rtsp://h/user=***_password=***_channel=1"),
        ("http://h/snap.cgi?usr=admin&pwd=sEcret&n=2", "http://h/snap.cgi?usr=***&pwd=***&n=2"),
        ("http://h/?loginuse=me&loginpas=sEc/r?et", "http://h/?loginuse=***&loginpas=***"),
        ("http://h/s?u=sEcret;p=sEcret", "http://h/s?u=***;p=***"),
        ("http://h/live?access_token=sEcret", "http://h/live?access_token=***"),
        ("http://h/live?PASSWORD=sEcret", "http://h/live?PASSWORD=***"),
        ("http://h/live?pass%77ord=sEcret", "http://h/live?pass%77ord=***"),
        ("https://b/a.mp4?X-Amz-Signature=sEcret&v=1", "https://b/a.mp4?X-Amz-Signature=***&v=1"),
        ("srt://h:9000?passphrase=sEcret&mode=caller", "srt://h:9000?passphrase=***&mode=caller"),
        ("rtmp://h/live/sEcret0a1b2c3d4e5f", "rtmp://h/live/***"),
        ("rtsps://h:7441/sEcret0a1b2c3d4e5f?enableSrtp", "rtsps://h:7441/***?enableSrtp"),
        (
            "https://api.telegram.org/bot123456789:AAsEcret0a1b2c3d4e5f6_g-h7/sendMessage",
            "https://api.telegram.org/***/sendMessage",
        ),
        (
            "http://go:1984/s.mp4?src=rtsp://a:sEcret@h/x&token=sEcret",
            "http://go:1984/s.mp4?src=rtsp://h/x&token=***",
        ),
        (
            "http://go:1984/s.mp4?src=rtsp%3A%2F%2Fa%3AsEcret%40h%2Fx",
            "http://go:1984/s.mp4?src=rtsp://h/x",
        ),
        ("http://proxy/rtsp://a:sEcret@h/x", "http://proxy/rtsp://h/x"),
        ("door=rtsp://a:sEcret@h/x", "door=rtsp://h/x"),
    ],
)
def test_secrets_are_hidden(address: str, public: str) -> None:
    """Users, passwords, keys and random words go; what tells cameras apart stays."""
    assert public_name(address) == public
    assert public_name(public) == public
    # The same inside a message, which may quote it.
    for message in ("{}: is lost", "cannot open '{}'", "({}), {}."):
        assert "sEcret" not in redacted(message.format(address, address))
        assert redacted(message.format(public, public)) == message.format(public, public)


@pytest.mark.parametrize(
    "address",
    [
        "http://10.0.0.5:8080/cam/realmonitor?channel=1&subtype=0",
        "rtsp://10.0.0.5/Streaming/Channels/101",
        "http://h/recordings/20240101T120000Z/entrance-2024-front-door.mp4",
        "photos/user=5/password=6.jpg",
        "C:\\photos\\a.jpg",
        "udp://239.0.0.1:1234",
        "https://h/a_long_name_of_a_video_without_numbers/index.m3u8",
    ],
)
def test_what_is_no_secret_stays(address: str) -> None:
    """Names, channels, times and paths can be read as they were."""
    assert public_name(address) == address
    assert redacted(f"{address}: is back") == f"{address}: is back"


@pytest.mark.parametrize(
    ("text", "public"),
    [
        ("admin:sEcret@10.0.0.5/ch1", "10.0.0.5/ch1"),
        ("rtsp:/admin:sEcret@10.0.0.5/ch1", "rtsp:/10.0.0.5/ch1"),
        ("rtsp:admin:sEcret@10.0.0.5/ch1", "rtsp:10.0.0.5/ch1"),
        ("10.0.0.5/user=a_password=sEcret", "10.0.0.5/user=***_password=***"),
        ("gate:554/live?pwd=sEcret", "gate:554/live?pwd=***"),
    ],
)
def test_mistyped_addresses_keep_their_secrets(text: str, public: str) -> None:
    """An address without its scheme is no reason to print its password."""
    assert looks_like_address(text)
    assert public_mistake(text) == public


@pytest.mark.parametrize("text", ["a=b.jpg", "photos/a.jpg", "me@home.jpg", "0", "C:\\a.jpg", ""])
def test_paths_are_no_addresses(text: str) -> None:
    """What looks like a path is given back as it is."""
    assert not looks_like_address(text)
    assert public_mistake(text) == text
