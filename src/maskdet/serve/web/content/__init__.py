"""What answers are made of: cameras and events as JSON, metrics, files, pictures that come in."""
