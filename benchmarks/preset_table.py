"""The table of presets in docs/training.md: each trained to its end, by split and by seed.

    python benchmarks/preset_table.py --dataset DATA/classification/observations --work build

Runs ``maskdet train --config PRESET`` for each preset, split and seed, in a folder of its own below
``--work``, which is also where ``results.json`` keeps what is done, with its processor minutes: a
table that was stopped goes on, and presets, splits and seeds can be run by and by. ``--estimate``
trains a few passes of each preset instead, on the whole of the data, and says how many processor
minutes all of its passes would take. Prints one line a preset and split of what is in the file:
accuracy of the default file on the validation part, mean and standard deviation over the seeds.
"""

import itertools
import json
import resource
import subprocess
import sys
import tempfile
import tomllib
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


def run(preset: str, seed: int, folder: Path, arguments: list[str]) -> dict[str, float]:
    """Trains; returns the accuracy on the validation part, and the processor minutes it took.

    Args:
        preset: its name.
        seed: of split, weights and views.
        folder: of the run; one that was interrupted goes on.
        arguments: further ones of ``maskdet train``.
    """
    command = [sys.executable, "-m", "maskdet", "train"]
    if (folder / "config.toml").is_file():
        command += ["--resume", str(folder)]
    else:
        command += ["--config", preset, "--seed", str(seed), "--run-dir", str(folder), *arguments]
    before = busy()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    minutes = (busy() - before) / 60
    content = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return {"accuracy": float(content["val"]["accuracy"]["value"]), "minutes": minutes}


def busy() -> float:
    """Returns the processor seconds of all programs that this one has run to their end."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


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
            given = [*arguments, "--epochs", str(passes)]
            minutes.append(run(preset, 1, Path(folder) / "run", given)["minutes"])
    wanted: int = recipe["epochs"]
    return minutes[0] + (wanted - few) * (minutes[1] - minutes[0]) / (more - few)


def print_table(done: dict[str, dict[str, float]]) -> None:
    """Prints what is done, a line for each preset and split of which anything is."""
    click.echo(
        "| preset | published | split | seeds | mean | standard deviation | each | minutes a run |"
    )
    click.echo("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for preset in PRESETS:
        for split in SPLITS:
            found = {
                int(key.rsplit(", ", 1)[1]): one
                for key, one in done.items()
                if key.startswith(f"{preset}, {split}, ")
            }
            if not found:
                continue
            values = [found[seed]["accuracy"] for seed in sorted(found)]
            deviation = f"{np.std(values, ddof=1):.4f}" if len(values) > 1 else "-"
            each = " ".join(f"{value:.4f}" for value in values)
            minutes = np.mean([one["minutes"] for one in found.values()])
            click.echo(
                f"| `{preset}` | {PUBLISHED[preset]} | {split} | "
                f"{' '.join(map(str, sorted(found)))} | {np.mean(values):.4f} | {deviation} | "
                f"{each} | {minutes:.1f} |"
            )


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
    done = json.loads(results.read_text(encoding="utf-8")) if results.is_file() else {}
    for preset, split, seed in itertools.product(presets, splits, seeds):
        key = f"{preset}, {split}, {seed}"
        if key in done:
            continue
        folder = work / key.replace(", ", "-").replace(" ", "-")
        done[key] = run(preset, seed, folder, [*common, *SPLITS[split]])
        write_json(results, done)
        click.echo(f"{key}: {done[key]['accuracy']:.4f}", err=True)
    print_table(done)


if __name__ == "__main__":
    main()
