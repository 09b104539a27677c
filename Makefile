# make demo: run the bundled models on the bundled samples.   make test: every check there is.
# Both create the environment they need in .venv. While working: make check, what needs neither
# TensorFlow, a server nor whole commands.
# make light: the wheel without extras, in an environment and a folder of its own; make lowest:
# likewise, with the lowest versions that pyproject.toml allows. make docs: the documentation site.

# Hundreds of processes import the same libraries: to compile them anew in each takes half of the
# tests' time.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/pytest --numprocesses auto --dist worksteal

.PHONY: demo test check lint docs light lowest clean

demo: .venv/ready
	$(BIN)/maskdet detect --source samples
	$(BIN)/maskdet heatmap --source samples/astronaut_masked.jpg

test: lint
	$(PYTEST) --durations 10

check: lint
	$(PYTEST) --light --quick -m "not server"

lint: .venv/ready
	$(BIN)/ruff check --no-cache
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python tools/lowest.py --check

docs: .venv/ready
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

light:
	$(PYTHON) tools/light_install.py

lowest:
	$(PYTHON) tools/light_install.py --lowest

# Most of what is installed is never imported here: what is, Python compiles then.
.venv/ready: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("maskdet needs Python 3.11 or newer: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache
