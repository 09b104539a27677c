"""What a classifier said of single pictures, kept alike by the trainer and by `evaluate`."""
