"""What the classes of a data set are among a model's labels."""

from collections.abc import Mapping, Sequence

from maskdet.detections import INCORRECT_LABEL
from maskdet.errors import DatasetError
from maskdet.files.text_files import composed

# What published data sets call a mask that is worn incorrectly, less what is written differently.
_INCORRECT = frozenset(
    {
        *("withincorrectmask", "maskwearedincorrect", "maskwearedincorrectly", "incorrectmask"),
        *("facewithmaskincorrect", "incorrectlywornmask", "incorrect"),
    }
)


def label_indices(
    names: Mapping[str, str | None],
    labels: Sequence[str],
    merge: Sequence[tuple[str, str]] = (),
) -> dict[str, int | None]:
    """Finds each class among the model's labels: ``WithMask`` is ``with_mask``, too.

    So are a few names, as ``with_incorrect_mask``, that data sets have for the third of the labels.

    Args:
        names: class name in the data to the label it stands for, ``None`` for left out.
        labels: of the model.
        merge: labels that the model had, and those of `labels` that they were merged into.

    Returns:
        Class name to index, ``None`` for left out.

    Raises:
        DatasetError: a class stands for none of the labels, or all are left out.
    """
    own = {label: index for index, label in enumerate(labels)}
    own |= {label: labels.index(other) for label, other in merge}
    index_of = {_plain(label): index for label, index in own.items()} | own
    if INCORRECT_LABEL in own:
        index_of = dict.fromkeys(_INCORRECT, own[INCORRECT_LABEL]) | index_of
    found: dict[str, int | None] = {}
    for name, label in names.items():
        found[name] = None if label is None else index_of.get(label, index_of.get(_plain(label)))
        if label is not None and found[name] is None:
            raise DatasetError(
                f"class {name!r} is none of the model's labels ({', '.join(labels)}): give "
                f"--map {name}=LABEL, or --map {name}= to leave it out"
            )
    if not any(names.values()):
        raise DatasetError(f"the label map drops everything: there are {', '.join(names)}")
    return found


def _plain(label: str) -> str:
    """Returns a label without what people write differently: capitals, hyphens, spaces."""
    return "".join(filter(str.isalnum, composed(label).casefold())) or label
