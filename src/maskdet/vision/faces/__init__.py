"""The first stage: faces and their boxes in one frame."""
