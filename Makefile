# Everything a newcomer needs: `make demo` shows it at work, `make test` proves it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Lives are the same every time only when sets are walked through in the same order.
export PYTHONHASHSEED := 0
# Tests and benchmarks start many processes: each would compile the program anew.
unexport PYTHONDONTWRITEBYTECODE
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint config/constraints.txt

.PHONY: demo setup test test-all test-image test-browser lives lint bench soak kills mutants clean

demo: $(VENV)/.runtime ## a first reconcile between two local sandboxes, outside changes, and a second one
	$(BIN)/sync-daemon demo

setup: $(VENV)/.runtime ## only the virtual environment, for your own accounts

test: $(VENV)/.dev ## every test, of those with many cases some; it says what it left out
	$(BIN)/python -m pytest -n auto --dist worksteal

test-all: $(VENV)/.dev ## every case of every test, on both databases
	$(BIN)/python -m pytest -n auto --dist worksteal --every-case --every-database

test-image: $(VENV)/.dev ## build the container image and try it; needs docker or podman (see tests/image/test_image.py)
	$(BIN)/python -m pytest --image tests/image

test-browser: $(VENV)/.browser ## the dashboard in Debian's chromium; pictures of each page go to SHOTS
	$(BIN)/python -m pytest --browser $(or $(SHOTS),shots) tests/browser

lives: $(VENV)/.dev ## LIVES lives of the rule machine from SEED on; a broken one is replayed by its seed; RACING=1: two processes at a time
	$(BIN)/python -m tests.machine --lives $(or $(LIVES),1000) --seed $(or $(SEED),0) $(if $(RACING),--racing)

lint: $(VENV)/.dev ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.bench ## every figure beside its floor, for a table and bench.json; ONLY="requests cost" for some, SCALE=0.01 to try it
	$(BIN)/python -m tests.benchmarks $(if $(ONLY),--only $(ONLY)) --scale $(or $(SCALE),1)

soak: $(VENV)/.dev ## the service between two sandboxes in changing weather for MINUTES; SEED repeats what was done
	$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),10) $(if $(SEED),--seed $(SEED))

kills: $(VENV)/.dev ## the process killed before and after each request and commit, on both databases; RACING=1: one of two
	$(BIN)/python -m tests.kills $(if $(RACING),--racing)

mutants: $(VENV)/.mutants ## change the pure rooms in every small way, and see the tests fail; FILES="consent.py ..." for some
	$(BIN)/python -m tests.mutants $(FILES)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "sync-daemon needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another with: make PYTHON=python3.12 demo")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: pyproject.toml config/constraints.txt | $(VENV)/bin/python
	$(PIP) --editable '.[cluster,postgres]'
	@touch $@

# Not compiled ahead: that takes as long as the rest of it, and tests compile what they use.
$(VENV)/.dev: pyproject.toml config/constraints.txt | $(VENV)/bin/python
	$(PIP) --no-compile --editable '.[cluster,postgres,dev]'
	@touch $(VENV)/.runtime $@

$(VENV)/.browser: pyproject.toml config/constraints-browser.txt $(VENV)/.dev
	$(PIP) --constraint config/constraints-browser.txt --editable '.[cluster,postgres,dev,browser]'
	@touch $@

$(VENV)/.bench: pyproject.toml config/constraints-bench.txt $(VENV)/.dev
	$(PIP) --constraint config/constraints-bench.txt --editable '.[cluster,postgres,dev,bench]'
	@touch $@

$(VENV)/.mutants: pyproject.toml config/constraints-mutants.txt $(VENV)/.dev
	$(PIP) --constraint config/constraints-mutants.txt --editable '.[cluster,postgres,dev,mutants]'
	@touch $@

clean: ## the virtual environment and what tests left
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis mutants
