"""Whether a page may be opened to a network as its settings say, before anything listens."""

import ipaddress
import ssl

from maskdet.errors import MaskdetError, OptionError
from maskdet.serve.site.settings import ServerSettings
from maskdet.serve.web.access.users import Users

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class ServerError(MaskdetError):
    """A page that cannot be served as asked."""


def check_server(settings: ServerSettings) -> None:
    """Makes sure that cameras are not shown to a network that nobody has to log in from.

    Raises:
        OptionError: the address is not this machine's own, or a proxy stands before it, and there
            are no users.
        ServerError: the certificate or its key cannot be used.
        UsersError: the users file is damaged.
    """
    if not Users(settings.users).is_asked:
        mend = "enter a user with maskdet serve --add-user NAME"
        if not is_local(settings.host):
            raise OptionError(
                f"{settings.host}: others could see the cameras without a log-in; {mend}, or "
                "listen on 127.0.0.1"
            )
        if settings.behind_proxy:
            raise OptionError(
                f"behind a proxy others could see the cameras without a log-in; {mend}"
            )
    if settings.certificate is not None:
        check_certificate(settings)
    elif settings.key is not None:
        raise OptionError(f"{settings.key}: a key is of no use without its certificate")


def check_certificate(settings: ServerSettings) -> None:
    """Makes sure that the certificate and its key can be used.

    Raises:
        ServerError: they cannot be read, or do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate, key = settings.certificate, settings.key

    def refuse_password() -> str:
        # OpenSSL would ask for it on the terminal of a service that has none.
        raise ServerError(f"{key or certificate}: a key with a password is not taken")

    assert certificate is not None
    for path in (certificate, key):
        if path is not None and not path.is_file():
            raise ServerError(f"{path}: no such file")
    try:
        context.load_cert_chain(certificate, key, refuse_password)
    except OSError as error:  # of which ssl.SSLError is one
        reason = error.strerror or error
        raise ServerError(f"{certificate}: is no certificate with its key ({reason})") from None


def is_local(host: str) -> bool:
    """Tells whether an address can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in LOCAL_NAMES


def page_address(settings: ServerSettings, port: int) -> str:
    """Returns where a browser finds the page."""
    scheme = "http" if settings.certificate is None else "https"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{scheme}://{host}:{port}/"
