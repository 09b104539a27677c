"""The model that a run goes on from: how good it was, and whether it stays the better one."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskdet.cards.trained import known_among
from maskdet.class_folders.splits import TEST, VALIDATION
from maskdet.duplicates import Hashes
from maskdet.train.classifier.convert import answer
from maskdet.train.classifier.dataset import Dataset
from maskdet.train.classifier.feed import Feed, batches
from maskdet.train.classifier.model import Networks
from maskdet.train.classifier.options import TrainOptions
from maskdet.train.journal import Journal, Say
from maskdet.wording import counted


@dataclass(frozen=True)
class Initial:
    """The networks of a run before its first pass.

    Attributes:
        networks: to train.
        trained: of the pictures that the model they come from was trained on; empty for none.
        whole: whether that model's head came along, so that it answers already.
        name: of that model; empty for none.
    """

    networks: Networks
    trained: Hashes
    whole: bool = False
    name: str = ""


@dataclass(frozen=True)
class Start:
    """A model to go on from, as it was.

    Attributes:
        trained: of the pictures it was trained on.
        weights: of the whole network; empty where its head is new, and there is nothing to compare.
        clean: of validation, the pictures that it was not trained on; all, where there are none.
        loss: mean negative log probability of the true labels of these.
        accuracy: on these.
    """

    trained: Hashes
    weights: list[Any]
    clean: NDArray[np.intp]
    loss: float
    accuracy: float


def warn_of_known(dataset: Dataset, trained: Hashes, name: str, say: Say) -> None:
    """Says how many validation and test pictures a model was trained on."""
    for part in (VALIDATION, TEST):
        hashes = dataset.collection.hashes.subset(dataset.indices(part).tolist())
        known = len(known_among(hashes, trained))
        if known:
            say(
                f"{known} of {len(hashes)} {part} pictures, near-duplicates included, were trained "
                f"on by {name}: figures on them flatter; --split takes the split.csv of its run"
            )


def measure_start(
    initial: Initial, options: TrainOptions, dataset: Dataset, say: Say
) -> Start | None:
    """Measures the model that a run goes on from; ``None`` where there is none."""
    if not initial.name:
        return None
    warn_of_known(dataset, initial.trained, initial.name, say)
    validation = dataset.feeds[VALIDATION]
    hashes = dataset.collection.hashes.subset(dataset.indices(VALIDATION).tolist())
    clean = np.setdiff1d(np.arange(len(validation)), known_among(hashes, initial.trained))
    if not len(clean):
        clean = np.arange(len(validation))
    if not initial.whole:
        return Start(initial.trained, [], clean, float("nan"), float("nan"))
    loss, accuracy = _measure(initial.networks.whole, validation.subset(clean), options)
    of = counted(len(clean), "validation picture")
    say(f"before: {initial.name} has loss {loss:.4f}, accuracy {accuracy:.4f} on {of}")
    return Start(initial.trained, initial.networks.whole.get_weights(), clean, loss, accuracy)


def keep_the_better(
    start: Start, network: Any, options: TrainOptions, dataset: Dataset, journal: Journal
) -> bool:
    """Compares what came of a run with its start, and gives the network the better weights.

    Args:
        start: the model it went on from.
        network: the result; gets the start's weights where they are better, unless told otherwise.
        options: of the run.
        dataset: its pictures.
        journal: told before and after.

    Returns:
        Whether the start was kept.
    """
    if not start.weights:
        return False
    validation = dataset.feeds[VALIDATION].subset(start.clean)
    loss, accuracy = _measure(network, validation, options)
    journal.say(
        f"before and after, on {counted(len(start.clean), 'validation picture')}: loss "
        f"{start.loss:.4f} and {loss:.4f}, accuracy {start.accuracy:.4f} and {accuracy:.4f}"
    )
    if loss <= start.loss:
        return False
    if options.accept_worse:
        journal.say("worse than the model it started from; taken all the same, as asked")
        return False
    network.set_weights(start.weights)
    journal.say(
        "worse than the model it started from, which is kept; --accept-worse takes the new one"
    )
    return True


def _measure(network: Any, feed: Feed, options: TrainOptions) -> tuple[float, float]:
    """Returns the mean negative log probability of the true labels, and the accuracy."""
    rows = [
        answer(network, pixels)
        for pixels, _, _ in batches(feed, size=options.input_size, batch_size=options.batch_size)
    ]
    found = np.concatenate(rows)
    of_truth = found[np.arange(len(feed)), feed.labels]
    right = found.argmax(axis=1) == feed.labels
    return float(-np.log(of_truth + 1e-7).mean()), float(right.mean())
