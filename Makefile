# Plain make; `make` alone shows what there is. Everything happens in a virtual environment that make creates.
#   PYTHON=python3.12   the Python it is made with
#   VENV=DIR            where it lies
#   VLLM_VENV=DIR       where the one with vLLM lies

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
READY = $(VENV)/.installed
SMALL = $(VENV)/.small
VLLM_VENV ?= .venv-vllm
VLLM_READY = $(VLLM_VENV)/.installed
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable

.PHONY: help venv demo test test-frontends test-vllm vllm-env lint perf

help:
	@echo "make demo   a medication question, answered on this machine (WARDROUND_MODEL: by which model)"
	@echo "make test   the tests"
	@echo "make lint   style, types, and which folder may import which"
	@echo "make test-frontends   real frontends against the gateway; those that are installed, see docs/frontends.md"
	@echo "make perf   speed, size and how good search is; takes a while"
	@echo "make vllm-env    a virtual environment with vLLM for machines without a GPU, in $(VLLM_VENV) (3.5 GB)"
	@echo "make test-vllm   the tests with a real vLLM; some minutes"
	@echo "make venv   only the virtual environment, in $(VENV)"

venv: $(READY)

# What the tests, lint and perf need. The demo needs less, and is there sooner.
$(READY): pyproject.toml
	$(call make_venv)
	$(INSTALL) '.[local,eval,icd,draw,images,postgres,train,serve,dev]'
	@touch $(SMALL) $@

$(SMALL): pyproject.toml
	$(call make_venv)
	$(INSTALL) '.[local]'
	@touch $@

define make_venv
$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("wardround needs Python 3.11 or later: make PYTHON=...")'
test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
endef

# Another model than the embedded one needs no download.
demo: $(SMALL)
ifeq ($(filter-out local,$(WARDROUND_MODEL)),)
	@$(BIN)/wardround models pull smollm2
endif
	@$(BIN)/wardround consult --dialogue examples/dialogues/demo.json

test: $(READY)
	$(BIN)/pytest tests

# Not part of the tests: it wants npm, and what is not installed is skipped and named.
test-frontends: $(READY)
	cd tests/frontends && npm install --no-audit --no-fund --ignore-scripts
	$(BIN)/pytest tests/frontends -rs

# Tests, perf and examples are checked against what a user gets: a wheel, built and unpacked in .lint/site.
lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	rm -rf .lint build
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --target .lint/site .
	rm -rf build
	$(BIN)/basedpyright --pythonpath $(BIN)/python
	$(BIN)/basedpyright --pythonpath $(BIN)/python --project tests/pyrightconfig.json
	$(BIN)/lint-imports --no-cache

perf: $(READY)
	$(BIN)/python perf/run.py

# vLLM wants other versions than training does. The list is whole, so nothing has to be worked out.
vllm-env: $(VLLM_READY)

$(VLLM_READY): tests/with_vllm/requirements.txt
	test -x $(VLLM_VENV)/bin/python || $(PYTHON) -m venv $(VLLM_VENV)
	$(VLLM_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement $<
	@touch $@

test-vllm: $(READY) $(VLLM_READY)
	@$(BIN)/wardround models pull smollm2
	WARDROUND_VLLM_PYTHON=$(abspath $(VLLM_VENV))/bin/python $(BIN)/pytest tests/with_vllm --durations=8
