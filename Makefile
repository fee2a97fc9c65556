# Each target sets itself up: a bare checkout needs Python 3.11+ with pip, and nothing else.
PROBLEM ?= breast_cancer
PORT ?= 3000
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
UV_VERSION := 0.13.8
UNFINISHED := $(VENV)/.unfinished
AWS_VENV := .venv-aws
AWS_READY := $(AWS_VENV)/.ready
AWS_LOCK := deployments/aws/requirements.lock
STACKS ?= serverless,service,loop
FITS := import sys; sys.exit(not (3,11) <= sys.version_info < (3,14))
PYTHON ?= $(firstword $(foreach p,python3 python3.11 python3.12 python3.13,\
	$(if $(shell $(p) -c '$(FITS)' 2>/dev/null && echo ok),$(p))))
# its Python may have been upgraded or removed since
$(shell test ! -e $(READY) || $(PY) -c '$(FITS)' 2>/dev/null || rm -f $(READY))

# each start of a flow or a test would compile the project anew
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run unit test test-system test-long check format onboard serve up deployments monitoring aws mlflow prefect reports ui pictures bench bench-decisions clean lock

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

$(READY): requirements.lock
	@$(or $(PYTHON),false) -c '$(FITS)' 2>/dev/null || { \
		echo "error: no python3 of version 3.11 to 3.13 found; name one with PYTHON=..." >&2; exit 1; }
	@echo "setting up $(VENV) (once) ..."
	@if test -e $(UNFINISHED) || ! $(PY) -c '$(FITS)' || ! $(PY) -m pip --version; \
		then rm -rf $(VENV); fi >/dev/null 2>&1
	@mkdir -p $(VENV) && touch $(UNFINISHED)
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install -q --disable-pip-version-check uv==$(UV_VERSION)
	@$(VENV)/bin/uv pip sync -q --python $(PY) --require-hashes --compile-bytecode requirements.lock
	@touch $@ && rm $(UNFINISHED)

run: $(READY) ## the main job on PROBLEM (default breast_cancer), end to end
	@$(PY) -m flows.pipeline $(PROBLEM)

unit: $(READY) ## the quick tests of the rules (seconds)
	@$(PY) -m pytest -q -n 2 -m "not slow" --hypothesis-profile quick tests/unit

test: $(READY) ## the tests (a few minutes)
	@$(PY) -m pytest -n 2 --no-loadscope-reorder -m "not system"

# three at once on two processors: they wait much of the time for servers that start
test-system: $(READY) ## the tests that start whole systems
	@status=0; \
	$(PY) -m pytest -n 3 --no-loadscope-reorder --durations=60 --durations-min=20 \
		-m "system and not quiet and not long" || status=1; \
	$(PY) -m pytest -m quiet || status=1; \
	exit $$status

test-long: $(READY) ## the longest of those, before a release
	@$(PY) -m pytest -n 2 --no-loadscope-reorder -m long

check: $(READY) ## format, lint, types, import rules
	@$(VENV)/bin/ruff format --check -q .
	@$(VENV)/bin/ruff check -q .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports --no-cache --no-logo
	@$(PY) -m deployments.render --check
	@$(PY) -m deployments.monitoring.write --check

format: $(READY) ## format the code and fix what can be fixed
	@$(VENV)/bin/ruff format -q .
	@$(VENV)/bin/ruff check -q --fix .

onboard: $(READY) ## describe the table FILE whose column TARGET is to be predicted
	@$(PY) -m flows.onboard "$(FILE)" --target "$(TARGET)" $(if $(NAME),--name "$(NAME)")

serve: $(READY) ## serve the champion of PROBLEM on PORT (default 3000)
	@$(PY) -m bentos.launch $(PROBLEM) --port $(PORT)

up: $(READY) ## Prefect server and worker, MLflow and the service of PROBLEM (several: a,b), together
	@$(PY) -m deployments.up $(PROBLEM) --port $(PORT)

deployments: $(READY) ## write prefect.yaml anew from the problem files
	@$(PY) -m deployments.render

monitoring: $(READY) ## write the files of Prometheus, Alertmanager and Grafana anew
	@$(PY) -m deployments.monitoring.write

$(AWS_READY): $(AWS_LOCK) $(READY)
	@echo "setting up $(AWS_VENV) (once) ..."
	@rm -rf $(AWS_VENV) && $(PY) -m venv --without-pip $(AWS_VENV)
	@$(VENV)/bin/uv pip sync -q --python $(AWS_VENV)/bin/python --require-hashes $(AWS_LOCK)
	@touch $@

aws: $(AWS_READY) ## write STACKS as CloudFormation templates; ARCHIVE is the Lambda's zip
	@$(AWS_VENV)/bin/python -m deployments.aws.synth --stacks "$(STACKS)" \
		--archive "$(ARCHIVE)" $(if $(OUT),--out "$(OUT)")

mlflow: $(READY) ## MLflow's pages on port 5000
	@$(PY) -m deployments.pages mlflow

prefect: $(READY) ## Prefect's pages on port 4200
	@$(PY) -m deployments.pages prefect

ui: $(READY) ## the page for people on port 8501: ask, score a table, look after the model
	@$(PY) -m deployments.pages ui

pictures: $(READY) ## take the pictures of the page anew
	@$(PY) -m pytest -q tests/system/page/test_page.py --pictures deployments/ui/pictures

reports: $(READY) ## drift reports and data docs on port 5001
	@$(PY) -m deployments.pages reports

bench-decisions: $(READY) ## the statistics of decisions against the best possible, by simulation
	@$(PY) -m tests.benchmarks.decisions.promotion --trials 300
	@$(PY) -m tests.benchmarks.decisions.estimation
	@$(PY) -m tests.benchmarks.decisions.quarantine
	@$(PY) -m tests.benchmarks.decisions.scenarios --jobs 2
	@$(PY) -m tests.benchmarks.decisions.looks --jobs 2
	@$(PY) -m tests.benchmarks.decisions.rollback

bench: $(READY) ## speed against the alternatives, in one run
	@$(PY) -m tests.benchmarks

lock: $(READY) ## refresh the lock files
	@$(VENV)/bin/uv pip compile -q pyproject.toml --group dev --all-extras --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --upgrade \
		--custom-compile-command "make lock" -o requirements.lock
	@$(VENV)/bin/uv pip compile -q bentos/requirements.in -c requirements.lock --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --upgrade \
		--custom-compile-command "make lock" -o bentos/requirements.lock
	@$(VENV)/bin/uv pip compile -q deployments/lambda/requirements.in -c bentos/requirements.lock \
		--universal --python-version 3.11 --generate-hashes --no-emit-index-url --upgrade \
		--no-emit-package flatbuffers --no-emit-package protobuf --no-emit-package packaging \
		--no-emit-package tzdata \
		--custom-compile-command "make lock" -o deployments/lambda/requirements.lock
	@for cloud in google azure; do \
		$(VENV)/bin/uv pip compile -q deployments/clouds/$$cloud/requirements.in -c bentos/requirements.lock \
		--universal --python-version 3.11 --generate-hashes --no-emit-index-url --upgrade \
		--custom-compile-command "make lock" -o deployments/clouds/$$cloud/requirements.lock || exit 1; done
	@$(VENV)/bin/uv pip compile -q deployments/ui/requirements.in -c requirements.lock --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --upgrade \
		--custom-compile-command "make lock" -o deployments/ui/requirements.lock
	@$(VENV)/bin/uv pip compile -q deployments/wandb/requirements.in -c requirements.lock \
		--universal --python-version 3.11 --generate-hashes --no-emit-index-url --upgrade \
		--custom-compile-command "make lock" -o deployments/wandb/requirements.lock
	@$(VENV)/bin/uv pip compile -q tests/deployments/schemas/requirements.in \
		--universal --python-version 3.11 --generate-hashes --no-emit-index-url --upgrade \
		--no-emit-package google-api-core --no-emit-package google-auth \
		--no-emit-package google-auth-httplib2 --no-emit-package googleapis-common-protos \
		--no-emit-package cryptography --no-emit-package cffi --no-emit-package pycparser \
		--no-emit-package proto-plus --no-emit-package protobuf --no-emit-package pyasn1 \
		--no-emit-package pyasn1-modules --no-emit-package httplib2 --no-emit-package pyparsing \
		--no-emit-package uritemplate --no-emit-package opentelemetry-api \
		--custom-compile-command "make lock" -o tests/deployments/schemas/requirements.lock
	@$(VENV)/bin/uv pip compile -q deployments/aws/requirements.in --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --upgrade \
		--custom-compile-command "make lock" -o $(AWS_LOCK)

clean: ## remove all state of this checkout
	@rm -rf "$${DRIFTLINE_HOME:-.driftline}"
