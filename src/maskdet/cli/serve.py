"""`maskdet serve`: cameras watched for months, with a page, alerts and a memory."""

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from maskdet.cli.common import SOURCE_HELP
from maskdet.cli.numbers import Whole
from maskdet.cli.sections import sections
from maskdet.cli.terminal import log

if TYPE_CHECKING:
    from maskdet.serve.site.settings import Site

_LAYOUT = {
    "What to watch": ("site_file", "sources", "folder"),
    "The page": ("host", "port", "certificate", "key"),
    "Instead of watching": ("init", "check", "add_user", "export", "by"),
}
_SPANS = ("minute", "hour", "day", "week", "month")


@sections(_LAYOUT)
@click.argument("site_file", metavar="[SITE.toml]", required=False, type=click.Path(path_type=Path))
@click.option("--source", "sources", multiple=True, help=SOURCE_HELP.split("; door")[0] + ".")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where counts, events and recordings are kept. [default: the site file's, or "
    "maskdet-site]",
)
@click.option("--host", help="Address to listen at. [default: the site file's, or 127.0.0.1]")
@click.option(
    "--port", type=Whole(0, 65535), help="Port to listen at. [default: the site file's, or 8000]"
)
@click.option(
    "--certificate",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Speak TLS: PEM file of the certificate and its chain. [default: the site file's]",
)
@click.option(
    "--key",
    type=click.Path(dir_okay=False, path_type=Path),
    help="PEM file of the certificate's key, without a password. [default: the site file's]",
)
@click.option("--init", is_flag=True, help="Write a commented site file to begin with.")
@click.option(
    "--check",
    is_flag=True,
    help="Say what is wrong: open every camera once, load the networks, send a trial alert.",
)
@click.option("--add-user", metavar="NAME", help="Let somebody log in; the password is asked for.")
@click.option(
    "--export",
    type=click.Choice(["counts", "events"]),
    help="Write all that is remembered to standard output, as CSV.",
)
@click.option(
    "--by",
    type=click.Choice(_SPANS),
    default="hour",
    show_default=True,
    help="What exported counts are summed over.",
)
def serve(
    site_file: Path | None,
    sources: tuple[str, ...],
    folder: Path | None,
    host: str | None,
    port: int | None,
    certificate: Path | None,
    key: Path | None,
    init: bool,
    check: bool,
    add_user: str | None,
    export: str | None,
    by: str,
) -> None:
    """Watch cameras for months: a page, alerts, counts, recordings."""
    if init + check + (add_user is not None) + (export is not None) > 1:
        raise click.UsageError("--init, --check, --add-user and --export go alone.")
    if init:
        _write_example(site_file)
        return
    site = _site(site_file, sources, folder, host, port)
    site = _with_tls(site, certificate, key)
    if check:
        _check(site)
    elif add_user is not None:
        _add_user(site, add_user)
    elif export is not None:
        _export(site, export, by)
    else:
        from maskdet.serve.running.run import run

        run(site, log)


def _site(
    site_file: Path | None,
    sources: tuple[str, ...],
    folder: Path | None,
    host: str | None,
    port: int | None,
) -> "Site":
    from dataclasses import replace

    from maskdet.serve.site.reading import read_site, site_of_sources

    if site_file is not None and sources:
        raise click.UsageError("Name a site file or sources, not both.")
    site = site_of_sources(sources or ("0",)) if site_file is None else read_site(site_file)
    if folder is not None:
        users = site.server.users
        if users == site.folder / users.name:
            users = folder / users.name
        site = replace(site, folder=folder, server=replace(site.server, users=users))
    server = site.server
    return replace(
        site,
        server=replace(
            server,
            host=server.host if host is None else host,
            port=server.port if port is None else port,
        ),
    )


def _with_tls(site: "Site", certificate: Path | None, key: Path | None) -> "Site":
    from dataclasses import replace

    if certificate is None and key is None:
        return site
    if certificate is None:
        certificate = site.server.certificate
    # Another certificate has another key, or holds it itself.
    return replace(site, server=replace(site.server, certificate=certificate, key=key))


def _write_example(path: Path | None) -> None:
    from maskdet.media.files import refuse_existing, replacing
    from maskdet.serve.site.example import example_site

    path = path or Path("site.toml")
    refuse_existing(path, overwrite=False)
    with replacing(path) as temporary:
        temporary.write_text(example_site())
    click.echo(f"{path}: written; maskdet serve --check {path}")


def _check(site: "Site") -> None:
    from maskdet.extras import missing
    from maskdet.serve.running.check import check

    problems = check(site, click.echo)
    if names := missing("serve"):
        problems.append(f"serve needs {' and '.join(names)}: pip install 'maskdet[serve]'")
    for problem in problems:
        log(f"maskdet: {problem}")
    if problems:
        sys.exit(1)


def _add_user(site: "Site", name: str) -> None:
    from maskdet.serve.web.access.users import add_user

    if sys.stdin.isatty():
        password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    is_new = add_user(site.server.users, name, password)
    click.echo(f"{site.server.users}: {name} {'added' if is_new else 'has a new password'}")


def _export(site: "Site", what: str, by: str) -> None:
    from maskdet.errors import SourceError
    from maskdet.serve.storing.export import counts_csv, events_csv
    from maskdet.serve.storing.store import Store

    if not site.folder.is_dir():
        raise SourceError(f"{site.folder}: nothing is remembered there")
    store = Store(site.folder)
    if what == "events":
        lines = events_csv(store, None, None)
    else:
        cameras = [camera.name for camera in site.cameras]
        begin = datetime.fromtimestamp(0).astimezone()
        lines = counts_csv(store, cameras, begin, datetime.now().astimezone(), by)  # type: ignore[arg-type]
    for line in lines:
        click.echo(line, nl=False)
