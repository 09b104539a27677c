"""A model of others made into maskdet's files.

``python -m maskdet.train.classifier.conversion MODEL TARGET``

A process of its own, because the commands that only run models never load TensorFlow.
"""

import os
import sys
from pathlib import Path

from maskdet.errors import MaskdetError


def main() -> None:
    """Converts; the last line on standard error says why it could not, with exit code 1."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from maskdet.train.classifier.legacy import convert_model

    source, target = (Path(word) for word in sys.argv[1:3])
    try:
        convert_model(source, target, say=print)
    except MaskdetError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
