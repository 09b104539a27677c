"""What the files a user names are, and the pixels in them."""
