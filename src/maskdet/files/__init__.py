"""What lies on disk: folders as people have them, text and documents that others wrote."""
