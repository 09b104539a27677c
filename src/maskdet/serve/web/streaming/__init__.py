"""Live pictures and numbers: who is told of what is new, and how well each viewer is served."""
