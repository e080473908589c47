# One recipe each; pre-commit and CI call the same ones.

set shell := ["bash", "-euo", "pipefail", "-c"]

default:
    @just --list

# Install the exact versions of the lock, with what tests and benchmarks need.
install:
    pip install -c requirements.lock -e '.[test,bench,dev,postgresql]'

format:
    ruff format .
    ruff check --fix .

lint:
    ruff format --check .
    ruff check .

types:
    mypy

# Who may import whom (pyproject.toml, tool.importlinter).
imports:
    lint-imports

test *ARGS:
    pytest {{ ARGS }}

check: lint types imports test

# Resolve the lock anew (no hashes, no extras; torch as tool.uv names it).
lock:
    echo '# Made by `just lock` (uv pip compile). No hashes, no extras: pip install -c requirements.lock -e .' > requirements.lock.new
    uv pip compile --python-version 3.11 --all-extras --no-annotate --no-emit-index-url --no-header --quiet pyproject.toml >> requirements.lock.new
    mv requirements.lock.new requirements.lock

# Start and stop the servers that the integration tests use, around a command.
services +COMMAND:
    python tests/services/run.py -- {{ COMMAND }}
