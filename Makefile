# Every target that needs one makes its own virtual environment, in .venv, from requirements.lock.
# Needed on the machine: make, and Python 3.11 or later with its venv module.

VENV := .venv
READY := $(VENV)/.ready
RUN := $(VENV)/bin/python

# Without a home folder there is no place for a download cache, and / is none.
ifeq ($(strip $(HOME)),)
export PIP_NO_CACHE_DIR := 1
export UV_NO_CACHE := 1
endif
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
# What is imported is compiled and kept: the sandbox that workflows are tested in loads it for every
# order. What never is need not be compiled when it is installed.
unexport PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE

.PHONY: help
help:
	@echo 'make demo   an example day: 400 orders of two sellers over five channels (KEEP=1 leaves the stack up,'
	@echo '            STRIPE=1 pays through Stripe, at a stand-in; HTTP=1: everybody outside asks and reports'
	@echo '            over HTTP, with a client made of the OpenAPI document, two shops and a subscriber among them)'
	@echo 'make up     the whole stack in the foreground, until Ctrl-C'
	@echo 'make quick  before each commit, in a minute: rules, tests/unit, the constraints and the'
	@echo '            schema in tests/database/kernel, and 300 simulated lives'
	@echo 'make test   check, then all tests'
	@echo 'make check  rules (style, layers, architecture) and types'
	@echo 'make simulate  lives of orders without a server, SEEDS=1000 of them from FIRST=1 (PLANT= puts a fault in,'
	@echo '            TIER=2 lives them with the real activities on a real PostgreSQL)'
	@echo 'make fuzz-api  schemathesis against the HTTP API, EXAMPLES=200 for each operation'
	@echo 'make clients  a TypeScript client of the document places an order, deliveries are read in JavaScript,'
	@echo '            and Redocly runs the journeys of docs/arazzo.yaml'
	@echo 'make lighthouse  grades of the screens: performance and accessibility, on a desktop and a phone (2 minutes)'
	@echo 'make pictures  the main screens as small pictures in docs/pictures, at a moment that stands still (a minute)'
	@echo 'make lint-api  linters of npm find nothing in the OpenAPI document and in the Arazzo workflows'
	@echo 'make bench  an order beside the same order written as tutorials do: rates and costs (15 minutes)'
	@echo 'make bench-stock  ways to claim stock that everybody wants: rates and latencies (8 minutes)'
	@echo 'make bench-http  placing over HTTP beside a client, reads, pages of a million orders, webhooks (10 minutes)'
	@echo 'make bench-aged  place, pick, list, search and show beside 2 million closed orders (40 minutes, 40 GB)'
	@echo 'make bench-screens  each page for staff beside a million closed orders: its time, its size (20 minutes, 10 GB)'
	@echo 'make baseline  write the first migration from store/schema/, as long as no database has to be kept'
	@echo 'make lock   write requirements.lock anew (UPGRADE=1 takes the latest versions)'
	@echo 'make clean  remove what make made; the orders in .orderloom stay'

.PHONY: demo
demo: $(READY)
	@$(if $(STRIPE),$(RUN) -m tests.localstripe) $(RUN) -m starter.demo $(if $(KEEP),--keep) $(if $(HTTP),--http)

.PHONY: up
up: $(READY)
	@$(VENV)/bin/orderloom up

# Types take one processor half a minute, and the tests beside them another.
.PHONY: test
test: $(READY)
	@$(MAKE) --no-print-directory --jobs=2 rules compiled
	@$(MAKE) --no-print-directory --jobs=2 types tests

# In a fresh checkout, each of the processes that run the tests would compile all of them.
.PHONY: compiled
compiled: $(READY)
	@mkdir -p .cache
	@$(RUN) -m pytest -q --collect-only > .cache/collected.txt || { tail -60 .cache/collected.txt; exit 1; }

# What needs no order on a real server. docs/testing.md says what each folder holds.
QUICK := tests/unit tests/database/kernel/test_store_constraints.py tests/database/kernel/test_schema.py
.PHONY: quick
quick: style
	$(RUN) -m pytest -q -n 2 --dist loadfile tests/architecture $(QUICK)
	@$(RUN) -m tests.simulation --seeds 300

.PHONY: check
check: rules types

.PHONY: style
style: $(READY)
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(VENV)/bin/lint-imports --cache-dir .cache/import-linter

.PHONY: rules
rules: style
	$(RUN) -m pytest -q tests/architecture

.PHONY: types
types: $(READY)
	$(RUN) -m mypy

# Each file runs in one process, with its fixtures, and those that take longest come first. Much of a
# test is waiting: five processes keep two processors busy. `rules` has run those that are left out.
.PHONY: tests
tests: $(READY)
	$(RUN) -m pytest -n 5 --dist loadfile --no-loadscope-reorder --ignore=tests/architecture

# Simulated lives of orders: the real workflow, virtual time, one seed each, and a world in memory or
# (TIER=2) the real activities on a real PostgreSQL.
SEEDS := 1000
FIRST := 1
TIER := 1
.PHONY: simulate
simulate: $(READY)
	@$(RUN) -m tests.simulation --seeds $(SEEDS) --first $(FIRST) --tier $(TIER) $(if $(PLANT),--plant "$(PLANT)")

# The API against its own description: schemathesis, all checks, against a whole shop.
EXAMPLES := 200
.PHONY: fuzz-api
fuzz-api: $(READY)
	@$(RUN) -m tests.http.fuzz --examples $(EXAMPLES)

# Programs of npm, with Node.js from PyPI; tests/clients has their locks.
.PHONY: clients
clients: $(READY)
	@$(RUN) -m tests.clients.typescript
	@$(RUN) -m tests.clients.journeys

.PHONY: lint-api
lint-api: $(READY)
	@$(RUN) -m tests.clients.lint

# Grades of the screens: performance and accessibility, for a desktop and a phone.
.PHONY: lighthouse
lighthouse: $(READY)
	@$(RUN) -m tests.clients.lighthouse

# The main screens, as docs/screens.md shows them.
.PHONY: pictures
pictures: $(READY)
	@$(RUN) -m tests.clients.pictures

.PHONY: bench
bench: $(READY)
	@$(RUN) -m benchmarks

.PHONY: bench-stock
bench-stock: $(READY)
	@$(RUN) -m benchmarks stock

.PHONY: bench-http
bench-http: $(READY)
	@$(RUN) -m benchmarks http

.PHONY: bench-aged
bench-aged: $(READY)
	@$(RUN) -m benchmarks aged

.PHONY: bench-screens
bench-screens: $(READY)
	@$(RUN) -m benchmarks screens

.PHONY: lock
lock: $(READY)
	$(RUN) -m uv pip compile pyproject.toml --output-file requirements.lock --quiet \
		--universal --python-version 3.11 --generate-hashes --extra embedded --extra server --extra dev --extra bench \
		--no-emit-index-url --no-header --no-annotate $(if $(UPGRADE),--upgrade)

# What `orderloom serve` answers, as a document.
.PHONY: openapi
openapi: $(READY)
	@$(RUN) -m starter.http.describe > docs/openapi.json

.PHONY: baseline
baseline: $(READY)
	@$(RUN) -m tests.support.schema

.PHONY: clean
clean:
	rm -rf $(VENV) .cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# uv installs in a third of the time that it takes pip, and knows less of what a machine may have told pip
# of the way to its packages: where it finds none, pip does it all.
# The stamp holds the checkout's path: a checkout that was moved gets a new environment.
ifneq ($(shell cat $(READY) 2>/dev/null),$(CURDIR))
.PHONY: $(READY)
endif

$(READY): requirements.lock pyproject.toml
	@python=; for candidate in $(if $(PYTHON),'$(PYTHON)',python3 python3.14 python3.13 python3.12 python3.11); do \
		if "$$candidate" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' \
			>/dev/null 2>&1; then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
		echo 'Orderloom needs Python 3.11 or later with its venv module, and found none$(if $(PYTHON), in $(PYTHON)).' >&2; \
		echo 'Install it (on Debian and Ubuntu: apt install python3 python3-venv),' >&2; \
		echo 'or name one: make $(or $(MAKECMDGOALS),test) PYTHON=/path/to/python3' >&2; \
		exit 1; \
	fi; \
	echo "Setting up $(VENV) with $$python, once; this can take a minute." >&2; \
	umask 022 && "$$python" -m venv --clear $(VENV) && \
	sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > $(VENV)/uv.lock && \
	$(RUN) -m pip install --quiet --no-deps --require-hashes -r $(VENV)/uv.lock && \
	{ index=$${PIP_INDEX_URL:-$$($(RUN) -m pip config get global.index-url 2>/dev/null)}; \
	$(RUN) -m uv pip install --quiet --python $(RUN) --system-certs $${index:+--default-index "$$index"} \
		--no-deps --require-hashes -r requirements.lock || { \
	echo 'uv could not install it: pip tries now.' >&2; \
	$(RUN) -m pip install --quiet --no-deps --no-compile --require-hashes -r requirements.lock; }; } && \
	$(RUN) -m pip install --quiet --no-deps --no-build-isolation --editable . && \
	printf '%s\n' '$(CURDIR)' > $(READY)
