# Each target sets up what it needs first, at the versions of constraints.txt, and skips that when
# nothing changed.
#
#   make demo          simulate flows, train emulators, audit them, write reports to demo/
#   make demo QUICK=1  the same in small
#   make test          all tests
#   make check         style, types, imports
#   make validity      docs/validity.md from nothing: hours, resumable (progress in validity/)
#   make wheel-check   build the wheel and try it in empty environments
#   make clean         remove .venv and what was built

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3)
OUT ?= demo
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --constraint constraints.txt

.PHONY: demo test check validity wheel-check setup clean

demo: .venv/.installed
	$(BIN)/goldstone demo --out $(OUT) $(if $(QUICK),--quick)

# Two processes with one thread each: more threads than cores slow small tensors many times over.
test: .venv/.installed-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist loadfile $(ARGS)

check: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# One thread to a process; what was measured already is not measured again.
validity: export OMP_NUM_THREADS = 1
validity: .venv/.installed-dev
	$(BIN)/python -m benchmarks.validity --out validity
	$(BIN)/python -m benchmarks.validity.coverage
	$(BIN)/python -m benchmarks.validity.scores
	$(BIN)/python -m benchmarks.validity.page

wheel-check: .venv/.installed-dev
	.ci/wheel-check $(BIN)/python

setup: .venv/.installed-dev

clean:
	rm -rf .venv build dist

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "goldstone needs Python 3.11 or newer, got %d.%d; say make PYTHON=/path/to/python3.11" % sys.version_info[:2])'
	$(PYTHON) -m venv .venv

.venv/.installed: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing goldstone into .venv: a few minutes the first time."
	$(PIP) pip
	$(PIP) --editable '.[all]'
	@touch $@

.venv/.installed-dev: pyproject.toml constraints.txt | .venv/bin/python
	@echo "Installing goldstone with its development tools into .venv: a few minutes the first time."
	$(PIP) pip
	$(PIP) --editable '.[all,neuraloperator]' --group dev
	@touch $@ .venv/.installed
