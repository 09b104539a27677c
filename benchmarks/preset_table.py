"""The table of presets in docs/training.md: each trained to its end, by split and by seed.

    python benchmarks/preset_table.py --dataset DATA/classification/observations --work build

Runs ``maskdet train --config PRESET`` for each preset, split and seed, in a folder of its own below
``--work``; what is there already is not run again, so a table that was interrupted goes on. Prints
one line a preset and split: accuracy of the default file on the validation part, mean and standard
deviation over the seeds, and each.
"""

import json
import subprocess
import sys
from pathlib import Path

import click
import numpy as np

PRESETS = ("head128", "head64", "slow_rate", "small_cnn")
# Published, and on what.
PUBLISHED = {
    "head128": "0.99",
    "head64": "0.89 macro average, on other data (5,988 pictures)",
    "slow_rate": "0.9891",
    "small_cnn": "-",
}
SPLITS = {"by groups": (), "at random": ("--naive-split",)}


def run(preset: str, seed: int, folder: Path, arguments: list[str]) -> float:
    """Trains unless it is done already; returns the accuracy on the validation part.

    Args:
        preset: its name.
        seed: of split, weights and views.
        folder: of the run; of one that was interrupted, it goes on.
        arguments: further ones of ``maskdet train``.
    """
    report = folder / "report.json"
    if not report.is_file():
        command = [sys.executable, "-m", "maskdet", "train"]
        if (folder / "checkpoint.npz").is_file():
            command += ["--resume", str(folder)]
        else:
            command += ["--config", preset, "--seed", str(seed), "--run-dir", str(folder)]
            command += arguments
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    content = json.loads(report.read_text(encoding="utf-8"))
    return float(content["val"]["accuracy"]["value"])


@click.command(help=__doc__)
@click.option(
    "--dataset", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True
)
@click.option("--work", type=click.Path(path_type=Path), default=Path("build/presets"))
@click.option("--preset", "presets", type=click.Choice(PRESETS), multiple=True, default=PRESETS)
@click.option("--seeds", type=click.IntRange(1, 100), default=3, show_default=True)
@click.argument("train_options", nargs=-1, type=click.UNPROCESSED)
def main(
    dataset: Path, work: Path, presets: tuple[str, ...], seeds: int, train_options: tuple[str, ...]
) -> None:
    """Trains and prints."""
    work.mkdir(parents=True, exist_ok=True)
    click.echo("| preset | published | split | mean | standard deviation | each seed |")
    click.echo("| --- | --- | --- | --- | --- | --- |")
    for preset in presets:
        for split, flags in SPLITS.items():
            arguments = ["--dataset", str(dataset), *flags, *train_options]
            values = [
                run(preset, seed, work / f"{preset}-{split.replace(' ', '-')}-{seed}", arguments)
                for seed in range(1, seeds + 1)
            ]
            deviation = f"{np.std(values, ddof=1):.4f}" if seeds > 1 else "-"
            each = " ".join(f"{value:.4f}" for value in values)
            click.echo(
                f"| `{preset}` | {PUBLISHED[preset]} | {split} | {np.mean(values):.4f} | "
                f"{deviation} | {each} |"
            )


if __name__ == "__main__":
    main()
