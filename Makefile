# Everything a person does with the project, on a bare machine with Python 3.11, git and make.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST_ARGS ?=

.PHONY: help run test lint bench doctor demo vendor docs lock

help: ## List the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(BIN)/uv: requirements/bootstrap.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@touch $(BIN)/uv

$(VENV)/.run: requirements/run.txt $(BIN)/uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/run.txt
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(BIN)/uv
	$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@touch $@ $(VENV)/.run

run: $(VENV)/.run ## Start the market with demo data on http://127.0.0.1:8000 (PORT=... changes it)
	@$(BIN)/python tools/run.py

test: $(VENV)/.dev ## Run all tests, browser flows included
	@$(BIN)/python tools/browser.py
	@$(BIN)/python tools/test.py $(PYTEST_ARGS)

lint: $(VENV)/.dev ## Style, types, dependency rule, templates
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy app workers
	$(BIN)/lint-imports
	$(BIN)/djlint templates --lint --quiet

bench: $(VENV)/.dev ## Small scale of every benchmark
	$(BIN)/python -m bench

doctor: $(VENV)/.run ## Check the invariants of the running market's database
	@$(BIN)/python tools/doctor.py

demo: $(VENV)/.run ## Load the demo market into the database of DATABASE_URL, or of var/ when it is empty
	@$(BIN)/python tools/run.py --only-data

vendor: $(VENV)/.dev ## Copy the browser libraries out of the npm packages again
	npm ci
	$(BIN)/python tools/vendor.py

docs: $(VENV)/.run ## Write the generated pages of docs/
	$(BIN)/python tools/docs.py

lock: $(BIN)/uv ## Compile requirements/*.txt from pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url pyproject.toml -o requirements/prod.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --group servers pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --group dev pyproject.toml -o requirements/dev.txt
