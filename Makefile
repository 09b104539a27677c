# make demo: run the bundled models on the bundled samples.   make test: every check there is.
# Both create the environment they need in .venv.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test clean

demo: .venv/ready
	$(BIN)/maskdet detect --source samples
	$(BIN)/maskdet heatmap --source samples/astronaut_masked.jpg

test: .venv/ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pytest

.venv/ready: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("maskdet needs Python 3.11 or newer: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache
