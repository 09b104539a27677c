"""The table of presets in docs/training.md: each trained to its end, by split and by seed.

    python benchmarks/preset_table.py --dataset DATA/classification/observations --work build

Runs ``maskdet train --config PRESET`` for each preset, split and seed, in a folder of its own below
``--work``, which is also where ``results.json`` keeps what is done, with its processor minutes: a
table that was stopped goes on, in the middle of a run, too, and presets, splits and seeds can be
run by and by. ``--estimate`` trains a few passes of each preset instead, on the whole of the data,
and says how many processor minutes all of its passes would take. Prints one line a preset and split
that was asked for: accuracy of the default file on the validation part, mean and standard deviation
over the seeds, and below the table which runs are missing. A run counts with all of its passes.
"""

import itertools
import json
import resource
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from maskdet.media.files import write_json

PRESETS = ("head128", "head64", "slow_rate", "small_cnn")
# Published, and on what.
PUBLISHED = {
    "head128": "0.99",
    "head64": "0.89 macro average, on other data (5,988 pictures)",
    "slow_rate": "0.9891",
    "small_cnn": "-",
}
CONFIGS = Path(__file__).parents[1] / "configs"
SPLITS = {"by groups": (), "at random": ("--naive-split",)}


def passes_of(preset: str) -> int:
    """Returns how many passes a preset has."""
    recipe = tomllib.loads((CONFIGS / f"{preset}.toml").read_text(encoding="utf-8"))
    return int(recipe["epochs"])


def run(preset: str, seed: int, folder: Path, arguments: list[str]) -> None:
    """Trains in a process of its own, or goes on with a run that was interrupted.

    Args:
        preset: its name.
        seed: of split, weights and views.
        folder: of the run.
        arguments: further ones of ``maskdet train``.

    Raises:
        ClickException: it failed, and has said why.
    """
    command = [sys.executable, "-m", "maskdet", "train"]
    if (folder / "config.toml").is_file():
        command += ["--resume", str(folder)]
    else:
        command += ["--config", preset, "--seed", str(seed), "--run-dir", str(folder), *arguments]
    if subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode:
        raise click.ClickException(f"{folder.name}: maskdet train failed")


def accuracy(folder: Path, passes: int) -> float | None:
    """Returns the accuracy on the validation part of a run that has done all of its passes.

    One that was asked to stop leaves a report as well, of the best of fewer passes.
    """
    report = folder / "report.json"
    if not report.is_file():
        return None
    content = json.loads(report.read_text(encoding="utf-8"))
    if content["card"]["training"]["passes"] < passes:
        return None
    return float(content["val"]["accuracy"]["value"])


def busy() -> float:
    """Returns the processor minutes of all programs that this one has run to their end."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (used.ru_utime + used.ru_stime) / 60


def estimate(preset: str, work: Path, arguments: list[str]) -> float:
    """Returns the processor minutes of a preset, from two runs of few passes.

    What is left when a pass is taken out, reading the data and exporting, is counted once; so are
    the features of the views that a frozen phase takes in turn.
    """
    recipe = tomllib.loads((CONFIGS / f"{preset}.toml").read_text(encoding="utf-8"))
    cached = recipe.get("architecture", "mobilenet_v2") == "mobilenet_v2"
    # A view's features are computed in its first pass: of four, the fifth pass is the first that
    # costs what the later ones do.
    few, more = (4, 8) if cached else (1, 2)
    minutes: list[float] = []
    for passes in (few, more):
        with tempfile.TemporaryDirectory(dir=work) as folder:
            before = busy()
            run(preset, 1, Path(folder) / "run", [*arguments, "--epochs", str(passes)])
            minutes.append(busy() - before)
    return minutes[0] + (passes_of(preset) - few) * (minutes[1] - minutes[0]) / (more - few)


def print_table(
    found: dict[str, dict[str, float]],
    presets: Sequence[str],
    splits: Sequence[str],
    seeds: Sequence[int],
) -> None:
    """Prints a line for each preset and split that was asked for, and what is missing of them."""
    click.echo(
        "| preset | published | split | seeds | mean | standard deviation | each | minutes a run |"
    )
    click.echo("| --- | --- | --- | --- | --- | --- | --- | --- |")
    missing = []
    for preset, split in itertools.product(presets, splits):
        done = {}
        for seed in seeds:
            one = found.get(key_of(preset, split, seed), {})
            if "accuracy" in one:
                done[seed] = one
            else:
                begun = f" ({one['minutes']:.1f} minutes so far)" if one else ""
                missing.append(f"{key_of(preset, split, seed)}{begun}")
        line = f"| `{preset}` | {PUBLISHED[preset]} | {split} | "
        if not done:
            click.echo(f"{line}none yet | - | - | - | - |")
            continue
        values = [one["accuracy"] for one in done.values()]
        deviation = f"{np.std(values, ddof=1):.4f}" if len(values) > 1 else "-"
        each = " ".join(f"{value:.4f}" for value in values)
        minutes = np.mean([one["minutes"] for one in done.values()])
        click.echo(
            f"{line}{' '.join(map(str, done))} | {np.mean(values):.4f} | {deviation} | {each} | "
            f"{minutes:.1f} |"
        )
    if missing:
        click.echo(f"\nNot run to the end: {'; '.join(missing)}.")


def key_of(preset: str, split: str, seed: int) -> str:
    """Returns what a run is called in ``results.json``."""
    return f"{preset}, {split}, {seed}"


@click.command(help=__doc__)
@click.option(
    "--dataset", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True
)
@click.option("--work", type=click.Path(path_type=Path), default=Path("build/presets"))
@click.option("--preset", "presets", type=click.Choice(PRESETS), multiple=True, default=PRESETS)
@click.option("--split", "splits", type=click.Choice(list(SPLITS)), multiple=True, default=SPLITS)
@click.option(
    "--seed", "seeds", type=click.IntRange(min=0), multiple=True, default=(1, 2, 3),
    show_default=True,
)  # fmt: skip
@click.option("--estimate", "only_estimate", is_flag=True, help="Say how long each takes.")
@click.argument("train_options", nargs=-1, type=click.UNPROCESSED)
def main(
    dataset: Path,
    work: Path,
    presets: tuple[str, ...],
    splits: tuple[str, ...],
    seeds: tuple[int, ...],
    only_estimate: bool,
    train_options: tuple[str, ...],
) -> None:
    """Trains and prints."""
    work.mkdir(parents=True, exist_ok=True)
    common = ["--dataset", str(dataset), *train_options]
    if only_estimate:
        for preset in presets:
            click.echo(f"{preset}: {estimate(preset, work, common):.1f} processor minutes a run")
        return
    results = work / "results.json"
    found = json.loads(results.read_text(encoding="utf-8")) if results.is_file() else {}
    try:
        for preset, split, seed in itertools.product(presets, splits, seeds):
            key, passes = key_of(preset, split, seed), passes_of(preset)
            if "accuracy" in found.get(key, {}):
                continue
            folder = work / key.replace(", ", "-").replace(" ", "-")
            one = found.setdefault(key, {"minutes": 0.0})
            before = busy()
            try:
                if accuracy(folder, passes) is None:
                    run(preset, seed, folder, [*common, *SPLITS[split]])
            finally:  # what an interrupted run has taken counts, too
                one["minutes"] += busy() - before
                write_json(results, found)
            reached = accuracy(folder, passes)
            if reached is None:
                raise click.ClickException(f"{key}: stopped; the same command goes on with it")
            one["accuracy"] = reached
            write_json(results, found)
            click.echo(f"{key}: {reached:.4f}", err=True)
    finally:
        print_table(found, presets, splits, seeds)


if __name__ == "__main__":
    main()
