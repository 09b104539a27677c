"""What `maskdet info` finds out: the installation, the machine, and how the models run on it."""
