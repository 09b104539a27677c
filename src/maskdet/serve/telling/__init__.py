"""Telling of what was seen: channels, the queue on disk, MQTT."""
