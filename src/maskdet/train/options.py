"""What every training run can be told, whichever network it trains."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Where a run's results go, what it must not see, and its seed.

    Attributes:
        output: where to write what was trained; ``None`` leaves it in the run's folder.
        overwrite: whether files that exist there may be replaced.
        run_dir: folder of the run; ``None`` takes the next free ``runs/<command>/<n>``.
        exclude_like: folders of pictures that training must not contain, not even nearly.
        seed: of the split, the first weights, the order and the views.
    """

    output: Path | None = None
    overwrite: bool = False
    run_dir: Path | None = None
    exclude_like: tuple[Path, ...] = ()
    seed: int = 1
