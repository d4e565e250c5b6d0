SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run test lint torture bench clean environment test-environment

PORT ?= 8000
# Another content pack, served with data of its own: make run CONTENT=conditions/sample_packs/knee
CONTENT ?=
PACK := $(notdir $(CONTENT:%/=%))
PYTHON ?= python3
PY := .venv/bin/python
LOCAL_ENV := var/local.env
# Tests that run at the same time, one more than there are cores, as some of them wait for a server; and further options for
# pytest: make test ARGS="-k consultation"
JOBS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
ARGS ?=

help: ## List what make can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: environment $(LOCAL_ENV) ## Serve the site on http://127.0.0.1:8000 (another port: make run PORT=8001)
	@exec env ENV_FILE="$(CURDIR)/$(LOCAL_ENV)" $(if $(PACK),CONTENT_PACK="$(CONTENT)" DATA_DIR="$(CURDIR)/var/$(PACK)") $(PY) manage.py serve --prepare --port "$(PORT)"

test: lint ## Install what the tests need, then run all of them
	@$(PY) tests/prerequisites.py
	@$(PY) -m tests --numprocesses=$(JOBS) --maxprocesses=4 --dist=loadgroup $(ARGS)

lint: test-environment $(LOCAL_ENV) ## Check style, settings and migrations
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@env ENV_FILE="$(CURDIR)/$(LOCAL_ENV)" $(PY) manage.py check --fail-level WARNING
	@env ENV_FILE="$(CURDIR)/$(LOCAL_ENV)" $(PY) manage.py makemigrations --check --dry-run

torture: test-environment ## Run the long rounds behind README's promises, for about an hour (one: make torture ARGS="kill --rounds 5")
	@$(PY) tests/prerequisites.py
	@$(PY) -m tests.torture $(ARGS)

bench: test-environment ## Measure speed and size with a thousand pages (fewer: make bench ARGS="--pages 200")
	@$(PY) tests/prerequisites.py
	@$(PY) bench/bench.py $(ARGS)

clean: ## Remove the environment and collected static files; data and keys in var/ stay
	rm -rf .venv staticfiles .pytest_cache .mypy_cache .ruff_cache .hypothesis

# Copies of the requirements stand in .venv for what is installed there.
environment:
	@command -v $(PYTHON) > /dev/null || { echo "Python is missing. Run: sudo apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$$($(PYTHON) --version) is too old. Run: sudo apt-get install python3.11 python3.11-venv, then add PYTHON=python3.11" >&2; exit 1; }
	@$(PY) -c '' 2> /dev/null || { $(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { echo "Python's venv module is missing. Run: sudo apt-get install python3-venv" >&2; exit 1; }; }
	@$(PY) -c '' 2> /dev/null || { echo "Making the environment in .venv"; $(PYTHON) -m venv --clear .venv; }
	@cmp -s requirements.txt .venv/requirements.txt || { echo "Installing requirements.txt"; $(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt && cp requirements.txt .venv/; }

test-environment: environment
	@cmp -s requirements-dev.txt .venv/requirements-dev.txt || { echo "Installing requirements-dev.txt"; $(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt && cp requirements-dev.txt .venv/; }

$(LOCAL_ENV): | environment
	@$(PY) manage.py new_key --local-env $@
