# lab: open the course (FLAGS=--no-browser on a machine without one).  test: everything that must hold.  Both install into .venv first.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
READY = $(VENV)/.installed
ROOT_TOO = $(if $(filter 0,$(shell id -u)),--allow-root)
FLAGS ?=
URL ?=
PYPI ?=
SEED ?= 0
ONLY ?=
NOTEBOOKS ?= notebooks/*.ipynb notebooks/solutions/*.ipynb

# threads that wait for each other let other processes run: beside one busy process notebook 01 took nine minutes with spinning ones, 40 s so
export OMP_WAIT_POLICY ?= PASSIVE

.PHONY: lab test test-elsewhere elsewhere-avx2 elsewhere-native test-browser browser-tests test-faults test-colab test-floors test-binder lint course links wheel assignment test-assignment slides figures quiz term release notebooks site product picture results bench gpu clean

lab: $(READY)
	$(BIN)/jupyter lab $(ROOT_TOO) $(FLAGS) notebooks/00-bug-or-feature.ipynb

test: $(READY)
	$(BIN)/python -m pytest --nbval

# the notebooks again, side by side, each with one thread: as a laptop without bfloat16 runs them, and as this processor does
AVX2 = ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2 FEATLAB_PRECISION=float32
test-elsewhere: $(READY)
	$(MAKE) --jobs=2 --output-sync=target elsewhere-avx2 elsewhere-native
elsewhere-avx2:
	$(AVX2) OMP_NUM_THREADS=1 $(BIN)/python -m pytest -p no:cacheprovider --nbval notebooks
elsewhere-native:
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -p no:cacheprovider --nbval notebooks

test-browser: $(READY)  # JupyterLab and the static pages in a headless Chromium; FEATLAB_SLACK=2 on a busy machine
	$(BIN)/python -m pip install -q -e ".[browser,site]"
	$(MAKE) browser-tests
browser-tests:
	$(BIN)/python -m pytest -rs tests/browser $(ONLY)

test-faults: $(READY)  # interruptions at every file operation, damaged files, processes that share a cache; under 15 minutes
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q tests/faults $(ONLY)

COLAB = ipywidgets==7.7.1 plotly==5.24.1 anywidget==0.9.21 numpy==2.1.3
test-colab:  # the suite with the versions that Colab ships
	$(PYTHON) -m venv $(VENV)-colab
	$(VENV)-colab/bin/python -m pip install -q $(COLAB) -e ".[lab,test]"
	$(VENV)-colab/bin/python -m pytest --nbval

test-floors:  # the suite with the oldest versions that pyproject.toml admits (numpy 1.26 needs Python 3.12 or older)
	$(PYTHON) -m venv $(VENV)-floors
	$(VENV)-floors/bin/python -m pip install -q $$($(PYTHON) -m tools.floors) -e ".[lab,test]"
	$(VENV)-floors/bin/python -m pytest --nbval

test-binder:  # repo2docker's own reading of binder/, without building
	$(PYTHON) -m venv $(VENV)-binder
	$(VENV)-binder/bin/python -m pip install -q jupyter-repo2docker pytest
	$(VENV)-binder/bin/python -m pytest -p no:cacheprovider -o addopts= --noconftest tests/test_binder.py

lint: $(READY)
	$(BIN)/python -m pip install -q -e ".[dev]"
	$(BIN)/ruff check .
	$(BIN)/ruff format --check featlab tests benchmarks tools
	$(BIN)/mypy
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml

links: $(READY)  # URL=https://github.com/you/featlab adds badges and the address to README, first cells and pages; PYPI=1: the package is on PyPI
	$(BIN)/python -m tools.links $(URL) $(if $(PYPI),--pypi)

wheel: $(READY)  # dist/featlab-*.whl, which installs anywhere with pip: on Colab without an address, on a machine without a clone
	$(BIN)/python -m pip install -q "build>=1"
	$(BIN)/python -m build --wheel

notebooks: $(READY)  # run notebooks anew (all, or NOTEBOOKS=...) and keep what they show; in a cache where nobody has predicted anything
	$(BIN)/python -m pip install -q -e ".[dev]"
	FEATLAB_CACHE=$(CURDIR)/build/cache PLOTLY_RENDERER=plotly_mimetype $(BIN)/jupyter execute --inplace $(NOTEBOOKS)
	$(BIN)/python -m tools.stored
	$(BIN)/nbstripout --keep-output --keep-count $(NOTEBOOKS)

course: $(READY)  # after a notebook changed: first cells, solutions, README, everything run
	$(BIN)/python -m tools.links
	$(BIN)/python -m tools.solutions
	$(MAKE) notebooks

site: $(READY)  # the course as static pages in site/, for a browser without a kernel or a network
	$(BIN)/python -m pip install -q -e ".[site]"
	$(BIN)/python -m tools.pages site

assignment: $(READY)  # build/assignment: every lesson's exercises for nbgrader and for otter; SEED=7 draws other hidden cases
	$(BIN)/python -m tools.assignment build/assignment --seed $(SEED)

test-assignment:  # nbgrader and otter grade a right, a half-right and an empty solution
	$(PYTHON) -m venv $(VENV)-grading
	$(VENV)-grading/bin/python -m pip install -q -e ".[lab,test,grading]"
	$(VENV)-grading/bin/python -m pytest tests/test_assignment.py

slides: $(READY)  # build/slides/slides.html: fifteen slides for 45 minutes, with speaker's notes; print them to PDF
	$(BIN)/python -m tools.slides build/slides

figures: $(READY)  # build/figures: the lecture's figures as svg and png (needs a Chromium or Chrome)
	$(BIN)/python -m pip install -q "kaleido>=1"
	$(BIN)/python -m tools.figures build/figures

quiz: $(READY)  # the quiz's notebook and its sheet, from docs/quiz.md
	$(BIN)/python -m tools.quiz
	$(MAKE) notebooks NOTEBOOKS=notebooks/quiz/quiz.ipynb

term: $(READY)  # requirements/term.txt: the versions of this term, for a class that wants all machines alike
	$(BIN)/python -m pip install -q uv
	$(BIN)/uv pip compile -q pyproject.toml --extra lab --extra test --universal --python-version 3.11 \
	  --no-emit-index-url --no-header --no-annotate -o requirements/term.txt

release: $(READY)  # what a release must have: one version, its paragraph in the changelog, a wheel that works alone, docs that run
	$(BIN)/python -m pip install -q build twine
	$(BIN)/python -m pytest tests/test_package.py tests/test_docs.py tests/test_community.py
	rm -rf dist
	$(BIN)/python -m build
	$(BIN)/python -m twine check --strict dist/*

PRODUCT = featlab/portable/compiled/product
product:  # compile the one function of the live pages (needs node); WASM=elsewhere.wasm leaves the package as it is
	mkdir -p build/product && cp tools/product/package*.json build/product
	npm ci --silent --no-audit --no-fund --prefix build/product
	build/product/node_modules/.bin/asc $(PRODUCT).ts -o $(or $(WASM),$(PRODUCT).wasm) -O3 --converge --noAssert --runtime stub --enable simd --importMemory --initialMemory 1

picture: $(READY)  # the README's animated picture
	$(BIN)/python -m tools.picture

results: $(READY)  # measure the tables in results/ anew
	for seed in 0 1 2; do $(BIN)/python -m featlab reproduce --seed $$seed --out results || exit; done
	for seed in 0 1 2; do $(BIN)/python -m featlab spectra --seed $$seed --out results || exit; done
	$(BIN)/python -m featlab teachers --out results
	$(BIN)/python -m featlab appendix --out results
	for seed in 0 1 2; do $(BIN)/python -m featlab debate --seed $$seed --out results || exit; done
	for seed in 0 1 2; do $(BIN)/python -m featlab figure3 --seed $$seed --out results || exit; done
	for seed in 0 1 2; do $(BIN)/python -m featlab converse --seed $$seed --out results || exit; done
	for seed in 0 1 2; do $(BIN)/python -m featlab signal --seed $$seed --out results || exit; done
	$(BIN)/python -m pip install -q -e ".[dev]"
	$(BIN)/python results/draw.py

bench: $(READY)
	$(BIN)/python -m pip install -q -e ".[bench,browser]"
	$(BIN)/python benchmarks/attacks.py
	$(BIN)/python benchmarks/speed.py --models cnn resnet18 resnet50 --images 125 --batch 125
	$(BIN)/python -m benchmarks.floor --out results
	$(BIN)/python -m benchmarks.workers --out results
	$(BIN)/python -m benchmarks.growth --out results
	$(BIN)/python -m benchmarks.limits
	$(BIN)/python -m benchmarks.sliders

gpu:  # what to run on a GPU, command by command
	@cat benchmarks/gpu.md

clean:
	rm -rf $(VENV) $(VENV)-colab $(VENV)-floors $(VENV)-binder $(VENV)-grading site build dist

$(READY): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "featlab needs Python 3.10 or newer: make PYTHON=python3.12 ...")'
	@echo "featlab: installing into $(VENV), this once. PyTorch is downloaded (a few gigabytes on Linux): this takes minutes, by the network."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable ".[lab,test]"
	@echo "featlab: installed."
	touch $(READY)
