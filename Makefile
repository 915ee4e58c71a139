# `make help` lists what there is. Everything sets itself up first and needs no network when it is set up.
PYTHON ?= python3
RUN := .venv/bin/python
export PYTHONPATH := .

.PHONY: help setup setup-run demo up status down test bench-matching bench-assignment lint laws contract compose-env

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install what working on Attune needs
	@$(PYTHON) deploy/local/bootstrap.py --dev

setup-run:
	@$(PYTHON) deploy/local/bootstrap.py

demo: setup-run ## take requests and a group from submission to delivered mail, and say what happened
	@$(RUN) -m deploy.local demo

up: setup-run ## start everything and print addresses and the staff sign-in
	@$(RUN) -m deploy.local up

status: setup-run ## tell how every part is
	@$(RUN) -m deploy.local status

down: setup-run ## stop everything
	@$(RUN) -m deploy.local down

test: setup ## run every test on real Kafka and PostgreSQL
	@$(RUN) -m pytest $(TESTS)

bench-matching: setup ## compare ranking with a plain loop and with SQL (10 minutes)
	@$(RUN) -m tests.benchmarks.matching --therapists 70000 1000000 $(ARGS)

bench-assignment: setup ## compare how seats are given out with the best in hindsight (15 minutes)
	@$(RUN) -m tests.benchmarks.assignment $(ARGS)

lint: setup ## formatter, linter, types, import laws, published contract
	@$(RUN) -m ruff format --check .
	@$(RUN) -m ruff check .
	@$(RUN) -m mypy
	@$(MAKE) --no-print-directory laws contract

laws: setup ## check who may import whom
	@.venv/bin/lint-imports

contract: setup ## check that schemas and AsyncAPI are what the models say
	@$(RUN) -m shared.contract check

compose-env: ## write .env with fresh secrets for docker compose
	@$(PYTHON) deploy/compose_env.py
