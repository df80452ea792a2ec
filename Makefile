# Two commands on a fresh machine: `make demo` runs the main job, `make test` passes the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WORKERS ?= 2
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

.PHONY: demo test test-slow lint types unit docs clean
demo: $(STAMP)
	$(ONE_THREAD) $(BIN)/python -m demo

test: lint types unit

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

unit: $(STAMP)
	$(ONE_THREAD) $(BIN)/pytest -n $(WORKERS) -m "not slow and not gpu" -q

test-slow: $(STAMP)
	$(BIN)/pip install -q -c constraints.txt -e ".[lab]"
	$(ONE_THREAD) $(BIN)/pytest -n $(WORKERS) -m "slow" -q

docs: $(STAMP)
	$(BIN)/pip install -q -c constraints.txt -e ".[docs]"
	$(BIN)/mkdocs build --strict

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q -c constraints.txt -e ".[dev,reference,rigorous,notebook]"
	touch $@

clean:
	rm -rf $(VENV) demo-output site
