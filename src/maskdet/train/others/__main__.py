"""A model of others made into maskdet's files.

``python -m maskdet.train.others MODEL TARGET``

A process of its own, because the commands that only run models never load TensorFlow.
"""

import sys
from pathlib import Path

from maskdet.errors import MaskdetError
from maskdet.train.quiet import import_tensorflow
from maskdet.vision.foreign import MENDABLE


def main() -> None:
    """Converts; where it cannot, the last line on standard error says why."""
    import_tensorflow()
    from maskdet.train.others.converting import convert_model

    source, target = (Path(word) for word in sys.argv[1:3])
    try:
        convert_model(source, target)
    except MaskdetError as error:
        print(error, file=sys.stderr)
        sys.exit(MENDABLE)


if __name__ == "__main__":
    main()
