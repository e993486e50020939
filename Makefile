# Everything a person does here is a target; `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PORT ?= 8000
HOST ?= 127.0.0.1
URL ?= http://$(HOST):$(PORT)
UV := .tools/bin/uv
PY := .venv/bin/python
export PYTHONDONTWRITEBYTECODE ?= 1
export UV_NO_PROGRESS := 1

.PHONY: help demo test test-sqlite test-postgres test-e2e scenarios lint fmt css bench sockets kill messages lock screens

help: ## list the targets
	@grep -hE '^[a-z][a-z0-9-]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# --- install ------------------------------------------------------------------------------------

.tools/.ready: scripts/find-python.sh
	@sh scripts/bootstrap.sh tools

# Two stamps, one environment: the demo needs the base set, the tests the rest as well.
.venv/.base: .tools/.ready requirements/base.txt
	@sh scripts/bootstrap.sh base

.venv/.dev: .venv/.base requirements/dev.txt
	@sh scripts/bootstrap.sh dev

locale/.ready: .venv/.base $(wildcard locale/*/LC_MESSAGES/*.po)
	@$(PY) scripts/compile_messages.py
	@touch $@

# --- run ----------------------------------------------------------------------------------------

demo: .venv/.base locale/.ready ## install, migrate, seed and serve the demo (PORT=8000, HOST=127.0.0.1)
	@sh scripts/demo.sh "$(HOST)" "$(PORT)"

# --- check --------------------------------------------------------------------------------------

test: .venv/.dev locale/.ready ## install what the tests need (a browser too) and run all of them
	@bash scripts/test.sh

test-sqlite: .venv/.dev locale/.ready ## the suite on SQLite only (ARGS=… goes to pytest)
	@$(PY) -m pytest $(ARGS)

test-postgres: .venv/.dev locale/.ready ## the suite on PostgreSQL and Redis only
	@sh scripts/services.sh && . var/services.env && $(PY) -m pytest $(ARGS)

test-long: .venv/.dev locale/.ready ## hostile input at every door, ten thousand cases of it (CASES=…)
	@FUZZ_CASES=$(or $(CASES),10000) $(PY) -m pytest project/tests/test_fuzz.py -s $(ARGS)

test-e2e: .venv/.dev locale/.ready ## the browser journeys only
	@sh scripts/browser.sh && $(PY) -m pytest -n auto --maxprocesses 8 --dist worksteal e2e $(ARGS)

scenarios: .venv/.base ## play every payment provider's protocol against a running server (URL=…, ARGS="--only payme")
	@$(PY) -m scenarios "$(URL)" $(ARGS)

lint: .venv/.dev locale/.ready ## formatting, types, import contracts, templates, migrations, translations, security
	@bash scripts/lint.sh

fmt: .venv/.dev ## put code into the house format
	@.venv/bin/ruff check -q --fix-only . ; .venv/bin/ruff format .

bench: .venv/.dev locale/.ready ## measure the production settings on this machine, as ratios to a bare view
	@$(PY) loadtests/bench.py $(ARGS)

sockets: .venv/.dev locale/.ready ## 2,500 websockets on one process, as ratios to a bare Channels echo (ARGS=--quick: a tenth)
	@$(PY) loadtests/sockets.py $(ARGS)

kill: .venv/.dev locale/.ready ## kill the server again and again while money moves, and look what came of it
	@$(PY) loadtests/kill.py $(ARGS)

screens: .venv/.dev locale/.ready ## write screenshots of every page to e2e/screens
	@sh scripts/browser.sh && $(PY) -m pytest -n auto --maxprocesses 8 --dist worksteal e2e/test_screens.py $(ARGS)

# --- make what is committed ---------------------------------------------------------------------

css: ## rebuild static/ from tailwind/ (needs Node)
	@cd tailwind && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && npm run --silent build

messages: .venv/.base ## collect the strings to translate (needs gettext)
	@$(PY) manage.py makemessages -l uz -l ru --no-location --no-wrap -i .venv -i .tools -i tailwind -i e2e -i 'test_*.py'

lock: .tools/.ready ## resolve the requirement files again
	@$(UV) pip compile -q --universal --python-version 3.12 --generate-hashes --no-header --no-annotate pyproject.toml -o requirements/base.txt
	@$(UV) pip compile -q --universal --python-version 3.12 --generate-hashes --no-header --no-annotate pyproject.toml --group dev -o requirements/dev.txt
