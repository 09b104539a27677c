"""What the user named: what it is, what it is called, and how its bytes and pixels are read."""
