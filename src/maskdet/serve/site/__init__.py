"""The site file: which cameras, what is told of them to whom, what is kept and for how long."""
