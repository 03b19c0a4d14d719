# Every target sets up what it needs: on a fresh machine, Python 3.11+ and make are enough.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
ROOMS := statelang handlers local infra

.PHONY: run test test-agents test-deploy check bench corpus chaos portability browser vendor setup clean reference

run: $(READY)
	@$(BIN)/stratum run local/examples/orders/orders.yaml --input @local/examples/orders/input.json

# One process more than there are cores: many tests wait for processes of their own.
test: $(READY)
	$(BIN)/pytest -n $$(($$($(BIN)/python -c "import os; print(os.cpu_count())") + 1)) --dist worksteal

# Agents' own programs from npm, kept outside of the repository's files; where npm is missing, their tests are skipped.
test-agents: $(READY)
	-npm install --silent --no-fund --no-audit --prefix $(VENV)/npm @modelcontextprotocol/inspector @anthropic-ai/claude-code @openai/codex
	$(BIN)/pytest -m agents

# The console in Chromium (Debian's, or CHROMIUM=…), driven by Playwright, with axe's rules of accessibility. With
# STRATUM_PICTURES=DIR, pictures of every view are written there, to be looked at.
browser: $(READY)
	$(BIN)/python -m pip install --quiet playwright axe-playwright-python
	$(BIN)/pytest -m browser

# What the console uses of others, bundled anew after a change of versions in local/console/vendor/package.json.
vendor:
	npm install --silent --no-fund --no-audit --no-package-lock --prefix local/console/vendor
	npm run --silent --prefix local/console/vendor build

# CDK and SAM are fetched beside the environment; where they cannot be had, their tests are skipped.
test-deploy: $(READY)
	-npm install --silent --no-fund --no-audit --prefix $(VENV)/npm aws-cdk aws-cdk-lib constructs
	-$(PYTHON) -m venv $(VENV)/sam && $(VENV)/sam/bin/python -m pip install --quiet aws-sam-cli
	$(BIN)/pytest -m deploy

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --warnings

bench: $(READY)
	$(BIN)/python tests/bench

# Thousands of specs that are made up, run to their ends; some minutes.
corpus: $(READY)
	STRATUM_EXAMPLES=2000 $(BIN)/pytest tests/language/test_corpus.py

# A thousand executions over several processes while messages, functions and writes fail; some minutes.
chaos: $(READY)
	$(BIN)/pytest -m chaos

# What the compiler emits, before two validators from npm and on moto's engine, which needs a JSONata. All of it beside the environment.
portability: $(READY)
	npm install --silent --no-fund --no-audit --prefix $(VENV)/npm amazon-states-language-service asl-validator
	$(BIN)/python -m pip install --quiet --upgrade --target $(VENV)/portability jsonata-python
	$(BIN)/pytest -p no:logging -m portability tests/portability

# The generated parts of the language's reference, from the models.
reference: $(READY)
	@$(BIN)/python -c "from pathlib import Path; from stratum.statelang.spec.reference import filled; page = Path('statelang/README.md'); page.write_text(filled(page.read_text(encoding='utf-8')), encoding='utf-8')"
	@$(BIN)/stratum schema > local/examples/stratum.schema.json

setup: $(READY)

# The type checker finds `stratum.*` through these links; Python itself finds it by the editable install.
$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	mkdir -p $(VENV)/typing/stratum
	ln -sfn ../../../local/import.stratum/__init__.py $(VENV)/typing/stratum/__init__.py
	for room in $(ROOMS); do ln -sfn ../../../$$room $(VENV)/typing/stratum/$$room; done
	touch $(READY)

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .hypothesis .stratum *.egg-info
