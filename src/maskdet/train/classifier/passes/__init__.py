"""What a pass of the classifier goes by: its learning rate, and who watches it."""
