# Each target installs what it needs first; see packaging/setup.sh for what that is.
ARGS ?=
PYTHON_IN := .venv/bin/python
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help run demo test lint format bench pictures lock clean

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

run: ## Start DockDesk (ARGS: its arguments, such as --vnc)
	@packaging/run.sh $(ARGS)

demo: ## Start DockDesk in its built-in sandbox: no engine is needed, nothing is real
	@packaging/run.sh --demo $(ARGS)

test: ## Lint, then run every test, with real engines (ARGS: pytest's arguments)
	@packaging/setup.sh test
	@$(MAKE) --no-print-directory lint-only
	$(PYTHON_IN) -m pytest $(if $(CI),--reruns 1) $(ARGS)

lint: ## Check style, types and the rules of architecture
	@packaging/setup.sh dev
	@$(MAKE) --no-print-directory lint-only

.PHONY: lint-only
lint-only:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: ## Format the code
	@packaging/setup.sh dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: ## Measure speed, as JSON (ARGS: names of benchmarks, none for all)
	@packaging/setup.sh test
	@$(PYTHON_IN) -m tests.benchmarks $(ARGS)

pictures: ## Draw every pane of the sandbox in both themes into docs/pictures
	@packaging/run.sh --demo pictures --open resources/samples/hello-web --build --out docs/pictures

lock: ## Pin the newest allowed versions of all dependencies, with hashes
	@packaging/setup.sh dev
	@packaging/lock.sh

clean: ## Remove the environment and all that was built
	rm -rf .venv build dist dockdesk.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
