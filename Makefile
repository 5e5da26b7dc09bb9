# `make demo` and `make test` are all that a newcomer needs; both set up `.venv` first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
.DEFAULT_GOAL := help
.PHONY: help setup demo test soak lint fmt generate bench

help: ## what there is
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(VENV)/.installed ## make .venv and install everything into it (llama-cpp-python compiles once, 8-16 minutes)

$(VENV)/.installed: pyproject.toml constraints.txt hatch_build.py
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check -U pip >&2
	@echo "installing (the first time compiles llama-cpp-python, 8-16 minutes) …" >&2
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]' >&2
	@$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt --no-deps ./examples/plugin >&2
	@touch $@

demo: setup ## run examples/grammar at quick size; the last line is the bundle's path
	@cd examples/grammar && ../../$(BIN)/distillc run distill.yaml --profile quick

test: setup ## the tests
	@$(BIN)/python -m pytest

soak: setup ## what takes longer: many kills, full examples, long fuzzing
	@$(BIN)/python -m pytest -m soak

lint: setup ## ruff, mypy, pyright, import-linter
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/pyright
	@$(BIN)/lint-imports

fmt: setup ## format
	@$(BIN)/ruff check --fix-only . && $(BIN)/ruff format .

generate: setup ## what is generated and checked in: the JSON Schema, docs/language.md, docs/rules
	@$(BIN)/python -m distillc.spec.schema
	@$(BIN)/python docs/language.py
	@$(BIN)/python docs/schemastore/make.py
	@$(BIN)/python docs/rule_pages.py

bench: setup ## what is measured against peers, a line a metric
	@for bench in bench/*.py; do $(BIN)/python $$bench || exit 1; done
