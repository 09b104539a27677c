"""Whether maps are true: measured by taking away what they point at."""
