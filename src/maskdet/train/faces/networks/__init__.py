"""The face detectors' networks as Keras models: built, filled from others' files, exported."""
