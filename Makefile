# lab: open the course (FLAGS=--no-browser on a machine without one).  test: everything that must hold.  Both install into .venv first.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
READY = $(VENV)/.installed
ROOT_TOO = $(if $(filter 0,$(shell id -u)),--allow-root)
FLAGS ?=

.PHONY: lab test lint notebooks results bench clean

lab: $(READY)
	$(BIN)/jupyter lab $(ROOT_TOO) $(FLAGS) notebooks/00-bug-or-feature.ipynb

test: $(READY)
	$(BIN)/python -m pytest --nbval

lint: $(READY)
	$(BIN)/python -m pip install -q -e ".[dev]"
	$(BIN)/ruff check .
	$(BIN)/ruff format --check featlab tests benchmarks

notebooks: $(READY)  # run every notebook anew and keep what it shows
	$(BIN)/python -m pip install -q -e ".[dev]"
	PLOTLY_RENDERER=plotly_mimetype $(BIN)/jupyter execute --inplace notebooks/*.ipynb
	$(BIN)/nbstripout --keep-output --keep-count notebooks/*.ipynb

results: $(READY)  # measure the tables in results/ anew
	for seed in 0 1 2; do $(BIN)/python -m featlab reproduce --seed $$seed --out results || exit; done
	$(BIN)/python -m featlab teachers --out results
	$(BIN)/python -m pip install -q -e ".[dev]"
	$(BIN)/python results/draw.py

bench: $(READY)
	$(BIN)/python -m pip install -q -e ".[bench]"
	$(BIN)/python benchmarks/attacks.py

clean:
	rm -rf $(VENV)

$(READY): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "featlab needs Python 3.10 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable ".[lab,test]"
	touch $(READY)
