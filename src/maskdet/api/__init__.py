"""What notebooks and other programs call: a thin face over what the commands use.

Its names are public as names of `maskdet`, which lists them; where they live may change.
"""

from maskdet.media.quiet import hush

# Before OpenCV is loaded. Where the program has loaded it itself, its own settings hold.
hush()
