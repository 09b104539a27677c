"""The options that say whom to tell of which faces, and when."""

import re
import shlex
import shutil
from collections.abc import Callable
from urllib.parse import urlsplit

import click

from maskdet.addresses import public_mistake
from maskdet.cli.numbers import Real


def _read_command(
    _: click.Context, __: click.Parameter, text: str | None
) -> tuple[str, ...] | None:
    if text is None:
        return None
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise click.BadParameter(f"{text}: {error}.") from None
    if not words:
        raise click.BadParameter("Names no command.")
    if shutil.which(words[0]) is None:
        raise click.BadParameter(f"There is no command {words[0]}.")
    return tuple(words)


def _check_address(_: click.Context, __: click.Parameter, url: str | None) -> str | None:
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        # A port that is no number, or too large a one, is found out when it is asked for.
        # What no server's name could be is a ValueError, too.
        (parts.hostname or "").encode("idna")
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        whole = whole and re.search(r"[\s\x00-\x1f]", url) is None
    except ValueError:
        whole = False
    if not whole:
        raise click.BadParameter(
            f"{public_mistake(url)} is not an address such as http://localhost:8000/alert."
        )
    return url


def alert_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the options of alerts; they become the fields of `maskdet.alerts.options`."""
    options = (
        click.option(
            "--on-no-mask",
            metavar="CMD",
            callback=_read_command,
            help="Run a command (without a shell) for each person who stays without a mask or "
            "wears it incorrectly, and each picture of one; the record is on its standard input.",
        ),
        click.option(
            "--webhook",
            metavar="URL",
            callback=_check_address,
            help="POST that record to an address.",
        ),
        click.option(
            "--alert-on",
            multiple=True,
            metavar="LABEL",
            help="Tell of faces of this label. May be given several times. "
            "[default: without_mask and mask_worn_incorrectly]",
        ),
        click.option(
            "--alert-after",
            type=Real(min=0),
            default=2.0,
            show_default=True,
            help="Seconds a person is seen so before an alert.",
        ),
        click.option(
            "--alert-cooldown",
            type=Real(min=0),
            default=10.0,
            show_default=True,
            help="Seconds in which a person who takes the mask off again is not reported again.",
        ),
        click.option(
            "--alert-repeat",
            type=Real(min=1),
            metavar="SECONDS",
            help="Remind so often of a person who stays so. [default: never]",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command
