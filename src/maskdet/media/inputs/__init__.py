"""What the user named: what it is, what it is called, and how to read what is no file."""
