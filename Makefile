# Everything is written to .venv and KETEN_HOME; `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
UV_VERSION := 0.13.9
export KETEN_HOME ?= $(CURDIR)/var
export KETEN_PROJECT ?= $(KETEN_HOME)/demo
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: help install run dev serve test test-browser screenshots check bench format clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 12

install: $(STAMP) ## make .venv from requirements.lock; other targets do this by themselves

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet uv==$(UV_VERSION)
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
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

test: $(STAMP) ## run all tests but those in a browser
	$(BIN)/python -m pytest -q

test-browser: $(STAMP) ## look at the pages and at Dagster in Chromium; it has to be installed
	$(BIN)/python -m pytest -q --numprocesses=0 tests/browser

screenshots: project ## make the pictures of docs/ again, of the same deployment
	-$(BIN)/keten run
	$(BIN)/python -m tests.browser.screenshots

check: $(STAMP) ## format, lint, types, import direction and the rules of the house, in less than a minute
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q --numprocesses=0 tests/test_policy.py tests/test_sql_compiler.py

bench: $(STAMP) ## compare the product with hand-written SQL and with pandas on 8 million rows; takes minutes
	$(BIN)/python -m benchmarks.intake $(BENCH)

format: $(STAMP) ## put the code in form and mend what can be mended by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## remove .venv and caches; KETEN_HOME stays
	rm -rf .venv *.egg-info build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
