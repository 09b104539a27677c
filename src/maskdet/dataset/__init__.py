"""The dataset command: pictures brought in, checked, made and fetched, as class folders."""
