"""The evaluate command: how good a model is, on class folders, whole photographs or video."""
