"""What a camera shows at this moment: its state, its numbers, its newest picture."""
