"""Training: class folders in, a model that the light runtime can run out. Needs TensorFlow."""
