"""`maskdet info`: what is installed, what the machine can do, which models run and how fast."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from maskdet.cli.terminal import print_table

if TYPE_CHECKING:
    from maskdet.info.run import Info


@click.command()
@click.option(
    "--model", type=click.Path(exists=True, path_type=Path), help="Check this classifier."
)
@click.option("--face", type=click.Path(path_type=Path), help="Check this face detector.")
@click.option("--no-cameras", is_flag=True, help="Open no camera.")
@click.option("--json", "as_json", is_flag=True, help="Write everything as one JSON object.")
def info(model: Path | None, face: Path | None, no_cameras: bool, as_json: bool) -> None:
    """Tell what is installed and how fast it runs here: add this to a bug report.

    Exit code 1 if a model is damaged.
    """
    from maskdet.info.run import InfoOptions, gather

    found = gather(InfoOptions(model=model, face=face, cameras=not no_cameras))
    if as_json:
        click.echo(json.dumps(found.to_json(), indent=2))
    else:
        _print(found)
    if found.problems:
        for problem in found.problems:
            click.echo(f"maskdet: {problem}", err=True)
        sys.exit(1)


def _print(found: "Info") -> None:
    processor = found.processor
    eight_bits = {True: "yes", False: "no", None: "not known"}[processor.dot_products]
    rows = [
        ("maskdet", found.version),
        ("Python", found.python),
        ("system", found.system),
        ("processor", f"{processor.name}, {processor.cores} cores, {processor.architecture}"),
        ("extensions", " ".join(processor.extensions) or "not known"),
        ("8-bit dot products", eight_bits),
        ("GPU for training", found.gpu),
        ("display", "yes" if found.display else "none"),
        ("cameras", _cameras(found)),
        ("cache", str(found.cache)),
        ("runs", str(found.runs)),
        *((f"extra {name}", _extra(lacks)) for name, lacks in found.extras.items()),
        *(found.libraries.items()),
    ]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        click.echo(f"{name:<{width}}  {value}")
    click.echo()
    print_table(
        "",
        ("network", "precision", "input", "ms", "default"),
        [
            (
                f"{network.stage}: {network.path}",
                network.precision,
                "-" if network.size is None else str(network.size),
                "-" if network.milliseconds is None else f"{network.milliseconds:.1f}",
                "yes" if network.default else "",
            )
            for network in found.networks
        ],
    )


def _extra(lacks: tuple[str, ...]) -> str:
    return f"without {', '.join(lacks)}" if lacks else "installed"


def _cameras(found: "Info") -> str:
    if found.cameras is None:
        return "not looked for"
    if not found.cameras:
        return "none answers"
    return ", ".join(
        f"{camera.number} ({camera.width}x{camera.height}, {camera.frame_rate:g} a second)"
        for camera in found.cameras
    )
