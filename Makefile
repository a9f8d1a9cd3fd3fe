# lakepulse. `make help` lists the targets; every setting of README's table may be given as VAR=value.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# --- variables
PYTHON ?= python3# interpreter that creates .venv, 3.11 to 3.13
SERVE ?= 1# 0: `make demo` and `make run` end when the data is built
PORT ?= 8501# of the dashboard
PIPELINE ?= daily# for `make run` and `make submit`
ARGS ?=# parameters for `make submit`, as in ARGS="as_of=2026-01-31 sweep=1"
OUT ?=# folder for `make export`, `make lake` and `make site`
PUBLICATION ?=# for `make lake`: a date or a run id; default: the newest
ADDRESS ?=# for `make lake` and `make site`: where the folder is served; the lake's default: http://127.0.0.1:8700
PYTEST ?=# extra arguments for pytest
MINUTES ?=# for `make soak`: time limit of the whole chain's part, unless it ends before
FIRST ?=# for `make soak`: sequence at which the whole chain's part resumes, 1 to 100
SEED ?=# for `make soak`, to repeat its sequences; default: a new one
COMMITS ?=# for `make bench-commits`; default: 5000000, which need 10 GB of disk

VENV := .venv
PY := $(VENV)/bin/python
LAKEPULSE := $(PY) -m lakepulse
READY := $(VENV)/.ready
JARS := $(VENV)/.jars
# What is shown and exported when DATA_DIR is not set: real data, or else the demo's.
SHOWN := $(if $(or $(DATA_DIR),$(shell grep -siE '^[[:space:]]*(export[[:space:]]+)?DATA_DIR[[:space:]]*=[[:space:]]*[^[:space:]]' .env),$(wildcard .data/real)),,$(if $(wildcard .data/demo),DATA_DIR=.data/demo))

# Nothing that this project runs writes outside its folder or phones home.
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export STREAMLIT_BROWSER_GATHER_USAGE_STATS := false
export PYTHONPATH := $(CURDIR):$(CURDIR)/images/answer:$(CURDIR)/images/common:$(CURDIR)/images/fetch:$(CURDIR)/images/simulator:$(CURDIR)/dbt

##@ Start

.PHONY: demo
demo: $(READY) $(JARS) ## run the whole pipeline on simulated data, then serve the dashboard
	@export DATA_DIR="$${DATA_DIR:-.data/demo}" DEMO=1; \
	$(PY) -m lakepulse_simulator exec -- $(LAKEPULSE) run daily; \
	if [ "$(strip $(SERVE))" != 0 ]; then exec $(MAKE) serve; fi

.PHONY: run
run: $(READY) $(JARS) ## the same with data from the real APIs (GITHUB_TOKEN from the environment or .env)
	@$(LAKEPULSE) run $(PIPELINE)
	@if [ "$(strip $(SERVE))" != 0 ]; then exec $(MAKE) serve; fi

.PHONY: serve
serve: $(READY) ## serve the dashboard of the data that was built
	@echo "dashboard: http://127.0.0.1:$(strip $(PORT))  (end with Ctrl-C)"
	@$(SHOWN) exec $(PY) -m streamlit run dashboard/app.py --server.address 127.0.0.1 --server.port $(strip $(PORT)) --server.headless true

##@ Use the data elsewhere

.PHONY: docs
docs: $(READY) ## serve the models' documentation beside the dashboard, on http://127.0.0.1:8085
	@export DBT_PROJECT_DIR=dbt DBT_PROFILES_DIR=dbt DBT_TARGET_PATH="$(CURDIR)/.data/docs" DBT_LOG_PATH="$(CURDIR)/.data/docs"; \
	$(VENV)/bin/dbt --quiet parse && $(VENV)/bin/dbt --quiet docs generate --static --empty-catalog --no-compile
	@echo "documentation: http://127.0.0.1:8085/static_index.html  (end with Ctrl-C)"
	@exec $(PY) -m http.server 8085 --bind 127.0.0.1 --directory .data/docs

.PHONY: export
export: $(READY) ## write every gold table as Parquet and CSV into OUT=<folder>
	@$(call needs_out,export)
	@$(SHOWN) $(LAKEPULSE) export "$(OUT)"

.PHONY: lake
lake: $(READY) ## write the gold tables into OUT=<folder> as an Iceberg REST catalog that any web server serves
	@$(call needs_out,lake)
	@$(SHOWN) $(LAKEPULSE) lake "$(OUT)" $(if $(PUBLICATION),--publication "$(PUBLICATION)") $(if $(ADDRESS),--address "$(ADDRESS)")

.PHONY: site
site: $(READY) ## write a JSON API, badges, charts and feeds into OUT=<folder>, as a static site
	@$(call needs_out,site)
	@$(SHOWN) $(LAKEPULSE) site "$(OUT)" $(if $(ADDRESS),--address "$(ADDRESS)")

.PHONY: digest
digest: $(READY) ## print the week in Markdown
	@$(SHOWN) $(LAKEPULSE) digest

##@ Cluster

.PHONY: cluster
cluster: $(READY) ## make a kind cluster with everything on it; run again, it changes nothing
	@$(LAKEPULSE) cluster up

.PHONY: cluster-down
cluster-down: $(READY) ## delete the cluster; KEEP_DATA=0 deletes its data and secrets too
	@$(LAKEPULSE) cluster down

.PHONY: images
images: $(READY) ## build the images alone, to push them to a registry of your own
	@$(LAKEPULSE) cluster images

.PHONY: secrets
secrets: $(READY) ## give the cluster a new GITHUB_TOKEN or WEBHOOK_URL
	@$(LAKEPULSE) cluster secrets

.PHONY: submit
submit: $(READY) ## run PIPELINE on the cluster and watch it
	@$(LAKEPULSE) submit $(PIPELINE) $(ARGS)

.PHONY: status
status: $(READY) ## show last runs, next times, freshness, pods in trouble
	@$(LAKEPULSE) status

.PHONY: argo-ui dashboard trino minio-ui dbt-docs
argo-ui dashboard trino minio-ui dbt-docs: $(READY) ## forward a port and print the address
	@exec $(LAKEPULSE) cluster $@

##@ Tests and measurements

.PHONY: test
test: $(READY) $(JARS) ## run all tests that need no cluster, and print the coverage
	@$(PY) -m pytest -m "not cluster and not soak" -n logical --maxprocesses 4 --dist loadfile --cov --cov-report=term $(PYTEST)

.PHONY: e2e
e2e: $(READY) $(JARS) ## run the tests on a real cluster
	@$(PY) -m pytest -m "cluster and not chaos" $(PYTEST)

.PHONY: chaos
chaos: $(READY) $(JARS) ## take each service away from a busy cluster, and look for what is lost
	@$(PY) -m pytest -m chaos $(PYTEST)

.PHONY: soak
soak: $(READY) $(JARS) ## run long random sequences of faults, kills and reruns, into tests/soak.md
	@$(if $(strip $(MINUTES)),CHAIN_MINUTES=$(strip $(MINUTES))) $(if $(strip $(FIRST)),CHAIN_FIRST=$(strip $(FIRST))) $(PY) -m pytest -m soak --hypothesis-seed=$(or $(strip $(SEED)),$$RANDOM) $(PYTEST)

.PHONY: bench
bench: $(READY) $(JARS) ## measure the pipeline, and fetch beside other loaders, into tests/bench/*.md
	@$(PY) -m tests.bench.pipeline
	@$(PY) -m tests.bench.loaders

.PHONY: bench-dashboard
bench-dashboard: $(READY) ## measure the dashboard in a real browser, into tests/dashboard/results.md
	@data="$${DATA_DIR:-.data/demo}"; [ -d "$$data" ] || { echo "error: DATA_DIR: $$data not found; run make demo SERVE=0" >&2; exit 1; }; \
	$(PY) -m tests.dashboard.bench demo --data "$$data"; $(PY) -m tests.dashboard.bench large

.PHONY: bench-commits
bench-commits: $(READY) $(JARS) ## measure a load of COMMITS generated commits, into tests/bench/commits.md
	@$(if $(strip $(COMMITS)),COMMITS=$(strip $(COMMITS))) $(PY) -m tests.bench.commits

.PHONY: bench-cluster
bench-cluster: $(READY) $(JARS) ## measure a cluster made from nothing, into tests/cluster/results.md
	@$(PY) -m tests.cluster.bench

##@ Development

.PHONY: lint
lint: $(READY) ## run ruff, mypy, sqlfluff, yamllint, hadolint, deptry, codespell
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy images/answer/lakepulse_answer images/common/lakepulse images/fetch/lakepulse_fetch images/simulator/lakepulse_simulator spark_apps dbt/lakepulse_dbt dashboard workflows k8s tests
	@$(PY) -m sqlfluff lint --processes 2 dbt/models dbt/tests
	@$(PY) -m yamllint --strict .
	@$(VENV)/bin/hadolint $(wildcard images/Dockerfile images/*/Dockerfile)
	@$(PY) -m deptry .
	@$(VENV)/bin/codespell

.PHONY: format
format: $(READY) ## let ruff format and fix what it can
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

.PHONY: lock
lock: $(READY) ## resolve pyproject.toml into requirements.lock
	@$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --group dev \
	    --custom-compile-command "make lock" $(ARGS) pyproject.toml --output-file requirements.lock

.PHONY: render
render: $(READY) ## rewrite the files that follow from others: Argo's manifests, dbt's bronze and lists
	@$(LAKEPULSE) render

.PHONY: clean
clean: ## delete what this project made here: .venv, .data/demo, .data/docs, caches (never .data/real)
	rm -rf $(VENV) .data/demo .data/docs .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info dbt/target dbt/logs dbt/.user.yml
	@rmdir .data 2>/dev/null || true
	@find . \( -path ./.git -o -path ./.cluster \) -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

##@ Help

.PHONY: help
help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9 -]+:.*## / {n = split($$1, names, " "); for (i = 1; i <= n; i++) printf "  %-18s %s\n", names[i], $$2}' $(MAKEFILE_LIST)
	@printf '\nVariables\n'
	@awk '/^[A-Z]+ \?=.*# / {line = $$0; sub(/ \?=.*/, "", line); text = $$0; sub(/^[^#]*# /, "", text); printf "  %-18s %s\n", line, text}' $(MAKEFILE_LIST)

# --- what the targets need

needs_out = [ -n "$(OUT)" ] || { echo "error: OUT: name a folder, as in make $(1) OUT=$(1)" >&2; exit 1; }

# uv comes from the lock like everything else, checked by its hash, and then installs the rest. Compiled once,
# since every step is a process of its own and PYTHONDONTWRITEBYTECODE may keep Python from doing it.
$(READY): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null || \
	    { echo "error: Python 3.11 to 3.13 is needed, and $(PYTHON) is not one; install it, or name it: make PYTHON=python3.12 ..." >&2; exit 1; }
	@echo "installing the locked packages into $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@awk '/^uv==/ {on = 1} on {print} on && !/\\$$/ {exit}' requirements.lock > $(VENV)/uv.txt
	@$(PY) -m pip install --quiet --require-hashes --no-deps -r $(VENV)/uv.txt
	@$(VENV)/bin/uv pip sync --quiet --compile-bytecode --python $(PY) --require-hashes requirements.lock
	@touch $@

$(JARS): $(READY) spark_apps/jars.py
	@$(LAKEPULSE) jars
	@touch $@
