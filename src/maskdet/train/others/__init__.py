"""Models of others: read without running anything of theirs, checked, made into maskdet's files."""
