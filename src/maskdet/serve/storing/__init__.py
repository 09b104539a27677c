"""What outlives the process: counts, events, deliveries, and the files that belong to them."""
