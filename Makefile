# Everything is written to .venv and KETEN_HOME; `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
UV_VERSION := 0.13.9
export KETEN_HOME ?= $(CURDIR)/var
export KETEN_PROJECT ?= $(KETEN_HOME)/demo
# requirements.lock holds what runs; a server needs no more: make install LOCK=requirements.lock
LOCK ?= requirements-dev.lock
BIN := .venv/bin
STAMP := .venv/.installed
LOCKED := $(BIN)/uv pip compile --quiet pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

.PHONY: help install run dev serve test test-faults test-browser screenshots docs check bench bench-formats bench-growth lock format clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 12

install: $(STAMP) ## make .venv from a lock file (LOCK); other targets do this by themselves

$(STAMP): $(LOCK) pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet uv==$(UV_VERSION)
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r $(LOCK)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

.PHONY: project
project: $(STAMP)
	@test -e "$$KETEN_PROJECT/keten.yml" || $(BIN)/python -m demo.generate --out "$$KETEN_PROJECT"

run: project ## pull, validate, compute and publish; makes the demo deployment on first use
	$(BIN)/keten run

dev: project ## open the Dagster user interface on the same deployment
	-$(BIN)/keten run
	$(BIN)/keten exec dagster dev

serve: project ## show the published page, and Dagster read-only, on this machine; starts no run
	$(BIN)/keten serve

test: $(STAMP) ## run all tests but the fault suite and those in a browser
	$(BIN)/python -m pytest -q

test-faults: $(STAMP) ## kill, fill, damage and restart what a run stands on; takes minutes, needs root or a mount namespace
	$(BIN)/python -m pytest -q -rP --dist=worksteal tests/faults

test-browser: $(STAMP) ## look at the pages and at Dagster in Chromium; it has to be installed
	$(BIN)/python -m pytest -q --numprocesses=0 tests/browser

screenshots: project ## make the pictures of docs/ again, of the same deployment
	-$(BIN)/keten run
	$(BIN)/python -m tests.browser.screenshots

docs: $(STAMP) ## write the generated pages of docs/ again: reasons.md, codes.md and mapping-reference.md
	$(BIN)/python -m assets.reference_docs docs

check: $(STAMP) ## format, lint, types, import direction and the rules of the house, in less than a minute
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q --numprocesses=0 tests/test_policy.py tests/test_sql_compiler.py

bench: $(STAMP) ## compare the product with hand-written SQL and pandas on 8 million rows, and readers with their libraries; takes minutes
	$(BIN)/python -m benchmarks.intake $(BENCH)
	$(BIN)/python -m benchmarks.formats

bench-formats: $(STAMP) ## rows per second of every form of file beside the bare read of its library; a minute or two
	$(BIN)/python -m benchmarks.formats $(BENCH)

bench-growth: $(STAMP) ## what one more month costs after ten years beside after one; takes minutes
	$(BIN)/python -m benchmarks.growth $(BENCH)

lock: $(STAMP) ## write both lock files again from pyproject.toml
	$(LOCKED) --extra postgres --extra remote -o requirements.lock
	$(LOCKED) --all-extras --constraint requirements.lock -o requirements-dev.lock

format: $(STAMP) ## put the code in form and mend what can be mended by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## remove .venv and caches; KETEN_HOME stays
	rm -rf .venv *.egg-info build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
