"""The classifier's trainer: class folders in, a MobileNetV2 for LiteRT out."""
