# `make demo` runs the main job; `make test` runs all tests. Both set up what they need.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast lint types floors check messages derived images benchmarks clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) -e .
	@touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) torch==2.13.0
	$(PIP) -e ".[torch,keras,ray,tables,optuna,postgres,web,dev]"
	@touch $@ $(VENV)/.base

demo: $(VENV)/.base  ## compare six optimizers on handwritten digits, and write the report
	$(BIN)/descenso compare digits --report digits.html

test: $(VENV)/.dev  ## run all tests
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test-fast: $(VENV)/.dev  ## run the tests that take no longer than a second
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow"

lint: $(VENV)/.dev  ## check style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev  ## check types
	$(BIN)/mypy

floors: $(VENV)/.dev  ## check that a file imports only lower floors
	$(BIN)/lint-imports --no-logo

check: test lint types floors  ## all of the above

messages: $(VENV)/.dev  ## bring the Spanish catalog up to date with the source
	$(BIN)/python tools/messages.py update
	$(BIN)/python tools/messages.py compile
	$(BIN)/python tools/messages.py check

derived: messages  ## bring what is made of rules and their kin up to date: texts, names for editors, pages
	$(BIN)/python tools/stubs.py update
	$(BIN)/python tools/pages.py update

images: $(VENV)/.dev  ## draw the pictures of the documents again
	$(BIN)/python tools/images.py

clean:  ## remove what was built
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache
