"""Lets `python -m maskdet` do what the `maskdet` console script does."""

from maskdet.cli import main

if __name__ == "__main__":
    main()
