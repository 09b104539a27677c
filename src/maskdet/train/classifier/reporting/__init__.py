"""What a run of the classifier says of itself: figures, tables, plots and sheets."""
