# Two commands are enough: `make demo` runs a server with some mail, `make test` passes the tests.
# Both make .venv from the lock file themselves.

.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
PATHS := src tests benchmarks docs fuzz

.PHONY: help demo test lint types unit coverage test-packages test-long docs verdicts clean

help:
	@echo "make demo       a running server with one account and some mail"
	@echo "make test       everything that has to pass, as CI runs it"
	@echo "make bench      speed and memory beside Dovecot (about 20 minutes)"
	@echo "make test-long  power cuts, fuzzing and the like, for as long as it takes"
	@echo "make docs       make the generated pages of the documentation anew"
	@echo "make verdicts   examine other POP3 servers for their page (about 5 minutes, as root)"
	@echo "make clean      remove what make has made, the demo's folder excepted"

.venv/.made: uv.lock pyproject.toml packaging/environment.sh
	@sh packaging/environment.sh
	@touch $@

demo: .venv/.made
	@.venv/bin/restante demo --directory demo

test: test-packages lint types coverage unit

test-packages:
	@sh packaging/test-packages.sh
	@sh packaging/peer-packages.sh
	@sh packaging/provider-packages.sh

lint: .venv/.made
	$(PYTHON) -m ruff format --check $(PATHS)
	$(PYTHON) -m ruff check $(PATHS)

types: .venv/.made
	$(PYTHON) -m mypy

# The protocol core is covered branch by branch from its own test files.
coverage: .venv/.made
	$(PYTHON) -m coverage erase
	$(PYTHON) -m coverage run --source=restante.protocol,restante.sasl -m pytest -q tests/unit/protocol tests/unit/sasl
	$(PYTHON) -m coverage combine -q
	$(PYTHON) -m coverage report --fail-under=100 --skip-covered

unit: .venv/.made
	$(PYTHON) -m pytest -q -n 2 --dist=loadfile -m "not long"

test-long: .venv/.made test-packages
	$(PYTHON) -m pytest -q -m long

# Tests hold each of these pages to its source; benchmarks.md is made by `make bench`, verdicts.md by
# `make verdicts` and interop.md by docs/generate_interop.py, which all run other programs.
docs: .venv/.made
	$(PYTHON) docs/generate_conformance.py
	$(PYTHON) docs/generate_states.py
	$(PYTHON) docs/generate_cli.py
	$(PYTHON) docs/generate_log.py
	.venv/bin/restante config explain --markdown >docs/reference/.configuration.md
	mv docs/reference/.configuration.md docs/reference/configuration.md

verdicts: .venv/.made test-packages
	$(PYTHON) docs/generate_verdicts.py

clean:
	rm -rf .venv .uv .peers .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage .coverage.* build dist
	find src tests benchmarks docs fuzz -name __pycache__ -type d -prune -exec rm -rf {} +

-include benchmarks/Makefile.inc
