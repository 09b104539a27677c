"""What becomes of a recording once its frames are encoded: finished, or found after a crash."""
