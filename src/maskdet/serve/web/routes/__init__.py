"""What is answered: one file a family of routes, each a function that makes its router."""
