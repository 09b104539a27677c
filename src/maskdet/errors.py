"""What can go wrong through no fault of the program, each said to the user in one line.

The command line turns a `MaskdetError` into that line on standard error and exit code 1, or 2 where
an option is at fault. Anything else that escapes is a bug and keeps its traceback.
"""


class MaskdetError(Exception):
    """Something the user can mend. The message is one line that says what to do."""


class SourceError(MaskdetError):
    """Pictures, video or a camera that cannot be read."""


class UnreachableError(SourceError):
    """A camera or server that does not answer now, and may later."""


class TooLargeError(SourceError):
    """A picture or video of more pixels than are to be read."""


class OutputError(MaskdetError):
    """A result that cannot be written where the user asked for it."""


class ModelError(MaskdetError):
    """A model file or its card that is missing, damaged or of another kind."""


class OptionError(MaskdetError):
    """An option that this model, or these sources, can do nothing with: exit code 2."""


class NoMapsError(ModelError):
    """A network that was exported without heat maps, all else being well."""


class MissingExtraError(MaskdetError):
    """A library that maskdet can do without for all else, and is not installed."""


class DatasetError(MaskdetError):
    """Training pictures that cannot teach what was asked."""
