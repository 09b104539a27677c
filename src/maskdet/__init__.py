"""Face-mask detection: find faces, tell whether they wear a mask, show why.

    import maskdet

    detector = maskdet.load()
    faces = detector("photo.jpg")
    print(faces)

`maskdet.load` is where to begin; see ``docs/python.md``. The names below are loaded when they are
first used: importing maskdet alone loads nothing but this file.
"""

import importlib
import sys
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maskdet.api.detector import Detector
    from maskdet.api.evaluating import Evaluation, evaluate
    from maskdet.api.face import Face
    from maskdet.api.loading import load
    from maskdet.api.pictures import Picture
    from maskdet.api.results import Faces
    from maskdet.api.training import Training, train
    from maskdet.errors import (
        DatasetError,
        MaskdetError,
        MissingExtraError,
        ModelError,
        NoMapsError,
        OptionError,
        OutputError,
        SourceError,
        TooLargeError,
        UnreachableError,
    )

__version__ = "0.2.0"

__all__ = [
    "DatasetError",
    "Detector",
    "Evaluation",
    "Face",
    "Faces",
    "MaskdetError",
    "MissingExtraError",
    "ModelError",
    "NoMapsError",
    "OptionError",
    "OutputError",
    "Picture",
    "SourceError",
    "TooLargeError",
    "Training",
    "UnreachableError",
    "__version__",
    "evaluate",
    "load",
    "train",
]

_HOMES = {
    "Detector": "maskdet.api.detector",
    "load": "maskdet.api.loading",
    "Evaluation": "maskdet.api.evaluating",
    "evaluate": "maskdet.api.evaluating",
    "Picture": "maskdet.api.pictures",
    "Face": "maskdet.api.face",
    "Faces": "maskdet.api.results",
    "Training": "maskdet.api.training",
    "train": "maskdet.api.training",
}


def __getattr__(name: str) -> Any:
    """Loads a public name when it is first used."""
    if name.startswith("_") or name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES.get(name, "maskdet.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Returns the public names, loaded or not, and none of what this file itself imports."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})


class _Package(types.ModuleType):
    """A package whose functions are not hidden by folders of the same name.

    Python makes `maskdet.train` the folder as soon as anything in it is imported, whoever has meant
    the function.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOMES and isinstance(value, types.ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
