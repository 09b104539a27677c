"""Trains the first stage, the face detector: boxed pictures in, an SSD for LiteRT out."""
