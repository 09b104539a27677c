"""What the classes of a data set are among a model's labels."""

from collections.abc import Mapping, Sequence

from maskdet.errors import DatasetError


def label_indices(names: Mapping[str, str | None], labels: Sequence[str]) -> dict[str, int | None]:
    """Finds each class among the model's labels.

    Args:
        names: class name in the data to the label it stands for, ``None`` for left out.
        labels: of the model.

    Returns:
        Class name to index, ``None`` for left out.

    Raises:
        DatasetError: a class stands for none of the labels, or all are left out.
    """
    for name, label in names.items():
        if label is not None and label not in labels:
            raise DatasetError(
                f"class {name!r} is none of the model's labels ({', '.join(labels)}): give "
                f"--map {name}=LABEL, or --map {name}= to leave it out"
            )
    if not any(names.values()):
        raise DatasetError(f"the label map drops everything: there are {', '.join(names)}")
    return {name: None if label is None else labels.index(label) for name, label in names.items()}
