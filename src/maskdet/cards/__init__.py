"""Model cards: what a stranger's may hold, and what every one has."""
