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

# Resolve the lock, keeping the versions it has (`just lock --upgrade` takes newer ones). No hashes, no extras; torch as tool.uv names it.
lock *ARGS:
    cp requirements.lock requirements.lock.new
    uv pip compile --python-version 3.11 --all-extras --no-annotate --no-emit-index-url --no-header --quiet {{ ARGS }} --output-file requirements.lock.new pyproject.toml
    echo '# Made by `just lock` (uv pip compile). No hashes, no extras: pip install -c requirements.lock -e .' | cat - requirements.lock.new > requirements.lock
    rm requirements.lock.new

# Start and stop the servers that the integration tests use, around a command.
services +COMMAND:
    python tests/services/run.py -- {{ COMMAND }}

# Speed against the peers in the same run, on replays of real logs (needs ../shared/data and the extra `bench`).
bench:
    python bench/analyze_speed.py
    PYTHONPATH=. python bench/template_speed.py --drain3-lines 40000
    PYTHONPATH=. python bench/template_accuracy.py
    PYTHONPATH=. python bench/memory_search.py --incidents 20000

# The long forms: drain3 over every line, the ablation of the templates, 100,000 incidents.
bench-full:
    python bench/analyze_speed.py --systems HDFS OpenSSH mix
    PYTHONPATH=. python bench/template_speed.py
    PYTHONPATH=. python bench/template_accuracy.py --ablation --leave-one-out
    PYTHONPATH=. python bench/memory_search.py --incidents 100000

# Everything in ../shared/data and simulated incidents of a seed that nothing was tuned on.
eval:
    rm -rf .eval && mkdir -p .eval
    cali simulate --dataset .eval/held-out --cases 48 --seed 640277
    cali eval run ../shared/data/{hdfs_sessions,ci_failures,k8s_cases,loghub_2k,envelope_example,postmortems} .eval/held-out --output .eval/results --jobs 2

# The part of it that CI runs.
eval-small:
    rm -rf .eval-small && mkdir -p .eval-small
    cali simulate --dataset .eval-small/data --cases 10 --seed 5 --stream-share 0 --lines 3000
    cali eval run .eval-small/data --memory tfidf --no-baselines --output .eval-small/results --jobs 2 --fail-under failed=0 --fail-under citations_resolved=1 --fail-under service_accuracy@1=0.5
