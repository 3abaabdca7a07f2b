# Short names for the commands of the README; each works from a fresh clone.
.PHONY: run test test-all lint format types bench hooks

run: ## the desk, embedded, with a demo
	./scripts/run

test: ## the tests that everybody runs, on the real servers
	./scripts/test

test-all: ## the extended tests too
	./scripts/test --all

lint: .venv
	.venv/bin/python -m ruff check .
	.venv/bin/python -m ruff format --check .

format: .venv
	.venv/bin/python -m ruff check --fix .
	.venv/bin/python -m ruff format .

types: .venv
	@root=$(CURDIR); . ./scripts/_venv.sh; .venv/bin/python -m mypy $$(nestor_code_folders)

bench: .venv
	.venv/bin/python -m scripts.bench

hooks: .venv ## lint, format and types before each commit
	.venv/bin/python -m pre_commit install

.venv: requirements.txt requirements-demo.txt requirements-dev.txt constraints.txt
	@root=$(CURDIR); . ./scripts/_venv.sh; nestor_venv requirements.txt requirements-dev.txt; touch .venv
