"""Frames in (pictures, video, cameras), frames and records out."""
