"""The page and the API: the hub, seen from a browser and by programs."""
