"""`maskdet archive`: videos by the thousand, worked off in pieces on one machine or on many."""
