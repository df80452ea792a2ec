# Two commands on a fresh machine: `make demo` runs the main job, `make test` passes the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DOCS_STAMP := $(VENV)/.docs
BROWSER_STAMP := $(VENV)/.browser
CHROMIUM := $(or $(SCIML_CHROMIUM),$(firstword $(foreach name,chromium chromium-browser google-chrome,$(shell command -v $(name)))))
WORKERS ?= 2
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

# a notebook is executed by nbmake in its short version; those that `make test` has no time for come in `make test-slow`
NBMAKE := $(ONE_THREAD) $(BIN)/pytest --nbmake -n $(WORKERS) -q
IN_TEST := $(foreach number,01 02 04 06 07 08,$(wildcard notebooks/$(number)*.ipynb))
ALL_NOTEBOOKS := $(wildcard notebooks/*.ipynb)

.PHONY: demo test test-slow lint types unit notebooks store-notebooks docs clean
demo: $(STAMP)
	$(ONE_THREAD) $(BIN)/python -m demo

test: lint types unit notebooks docs

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

unit: $(STAMP) $(BROWSER_STAMP)
	$(ONE_THREAD) $(BIN)/pytest -n $(WORKERS) -m "not slow and not gpu" -q

notebooks: $(STAMP)
	SCIML_FAST=1 $(NBMAKE) --nbmake-timeout=300 $(IN_TEST)

# runs them in full and writes their outputs
store-notebooks: $(STAMP)
	$(ONE_THREAD) $(BIN)/python notebooks/store.py

test-slow: $(STAMP) $(BROWSER_STAMP)
	$(BIN)/pip install -q -c constraints.txt -e ".[lab,fuzz]"
	$(ONE_THREAD) $(BIN)/pytest -n $(WORKERS) -m "slow" -q
	SCIML_FAST=1 $(NBMAKE) --nbmake-timeout=600 $(filter-out $(IN_TEST),$(ALL_NOTEBOOKS))
	$(NBMAKE) --nbmake-timeout=3600 $(ALL_NOTEBOOKS)

# never --quiet: it would hide the warnings that --strict makes errors
docs: $(DOCS_STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

$(DOCS_STAMP): $(STAMP)
	$(BIN)/pip install -q -c constraints.txt -e ".[docs]"
	touch $@

# pictures are tested in a Chromium: the system's, one of its packages, or playwright's; without any, those tests are skipped
$(BROWSER_STAMP): $(STAMP)
	@if test -z "$(CHROMIUM)"; then \
	  { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	    timeout 240 apt-get install -y -qq --no-install-recommends chromium >/dev/null; } \
	  || timeout 120 $(BIN)/playwright install chromium \
	  || echo "no Chromium was found or could be installed: tests of pictures in a browser will be skipped"; \
	fi
	@touch $@

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q -c constraints.txt -e ".[dev,reference,rigorous,notebook]"
	touch $@

clean:
	rm -rf $(VENV) demo-output site
