"""Pictures kept as video: fragments, files of fixed length, clips of events."""
