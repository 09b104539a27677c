"""Which maps: where they come from, for which class, and what they mean."""
