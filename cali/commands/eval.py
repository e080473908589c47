"""`cali eval`: measure CALI, or a baseline, on labelled incidents."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core.errors import ConfigError

if TYPE_CHECKING:
    from eval.runner import Candidate, DatasetResult
    from eval.similar import MemoryFactory

THRESHOLD_MISSED = 4
_MEMORIES = ("hybrid", "dense", "words", "templates", "signature", "tfidf", "bm25")
_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group("eval")
def eval_group() -> None:
    """Measure CALI on labelled incidents.

    \b
    cali eval run DATASET...       judge every case and score it
    cali eval compare A B          what got better and what got worse
    cali eval validate DATASET     is the dataset sound?
    """


@eval_group.command("run")
@click.argument("datasets", nargs=-1, required=True, type=_FOLDER, metavar="DATASET...")
@click.option("--only", multiple=True, metavar="ID", help="Judge only this case (repeatable).")
@click.option("--output", type=_FOLDER, default=Path("eval-results"), show_default=True, help="Folder of the results.")
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, show_default="cores", help="Processes.")
@click.option(
    "--system", "name", default="cali", show_default=True, metavar="cali|baseline:NAME", help="What to measure."
)
@click.option("--no-baselines", is_flag=True, help="Leave the baselines out of the report.")
@click.option("--fail-under", multiple=True, metavar="[DATASET:]METRIC=VALUE", help="Exit 4 where missed (repeatable).")
@click.option("--labelled-memory", is_flag=True, help="Let the memory know the labelled causes of the other cases.")
@click.option("--memory", type=click.Choice(_MEMORIES), default="hybrid", show_default=True, help="For `similar`.")
@click.option("--resume", is_flag=True, help="Keep the answers of an unfinished run in --output.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=600.0,
    show_default=True,
    help="Seconds a case may take.",
)
@click.option("--seed", type=int, default=20261121, show_default=True, help="Of the bootstrap.")
@click.option("--quiet", is_flag=True, help="Print no table.")
def run_command(
    datasets: tuple[Path, ...],
    only: tuple[str, ...],
    output: Path,
    jobs: int,
    name: str,
    no_baselines: bool,
    fail_under: tuple[str, ...],
    labelled_memory: bool,
    memory: str,
    resume: bool,
    timeout: float,
    seed: int,
    quiet: bool,
) -> None:
    """Judge every case of the datasets and score the answers.

    Writes predictions.jsonl, metrics.json, report.md and report.html into --output. Cases that fail count as wrong.
    """
    from eval.datasets import load_dataset
    from eval.publish import publish
    from eval.results import missed_thresholds
    from eval.runner import Options, run
    from eval.storage import RunFolder

    loaded = [load_dataset(root) for root in datasets]
    candidates = _candidates(name, memory, not no_baselines)
    options = Options(jobs, timeout, only, labelled_memory, seed)
    folder = RunFolder(output)
    folder.open([each.name for each in candidates], loaded, resume)
    results = run(candidates, loaded, options, folder, _progress)
    written = publish(results, options, folder)
    if not quiet:
        _print(results)
    click.echo("wrote " + ", ".join(str(path) for path in written), err=True)
    missed = missed_thresholds(results, fail_under)
    for each in missed:
        click.echo(f"missed: {each}", err=True)
    if missed:
        sys.exit(THRESHOLD_MISSED)


@eval_group.command("compare")
@click.argument("a", type=_FOLDER)
@click.argument("b", type=_FOLDER)
@click.option("--system-a", metavar="NAME", help="System of A (default: the measured one).")
@click.option("--system-b", metavar="NAME", help="System of B (default: the measured one).")
@click.option("--seed", type=int, default=20261121, show_default=True, help="Of the bootstrap.")
@click.option("--fail-if-worse", is_flag=True, help="Exit 4 where a metric got clearly worse.")
def compare_command(
    a: Path, b: Path, system_a: str | None, system_b: str | None, seed: int, fail_if_worse: bool
) -> None:
    """Show what got better and worse from run A to run B (paired bootstrap over the cases of both)."""
    from eval.bootstrap import RESAMPLES
    from eval.comparison import compare_runs
    from eval.markdown import comparison_markdown

    comparisons = compare_runs(a, b, seed, RESAMPLES, system_a, system_b)
    click.echo(comparison_markdown(comparisons))
    if fail_if_worse and any(each.verdict == "worse" for found in comparisons for each in found.differences):
        sys.exit(THRESHOLD_MISSED)


@eval_group.command("validate")
@click.argument("datasets", nargs=-1, required=True, type=_FOLDER, metavar="DATASET...")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
def validate_command(datasets: tuple[Path, ...], strict: bool) -> None:
    """Check datasets: files, labels, references. Exit 2 where one is invalid."""
    from eval.validation import validate_dataset

    invalid = False
    for root in datasets:
        problems = validate_dataset(root)
        for problem in problems:
            click.echo(str(problem))
        errors = sum(not problem.warning for problem in problems)
        warnings = len(problems) - errors
        bad = bool(errors or (strict and warnings))
        invalid = invalid or bad
        click.echo(f"{root}: {'invalid' if bad else 'valid'} ({errors} errors, {warnings} warnings)")
    if invalid:
        sys.exit(2)


def _candidates(name: str, memory: str, with_baselines: bool) -> list[Candidate]:
    from eval.baselines import BASELINES
    from eval.runner import Candidate

    if name == "cali":
        from cali.evaluation import build_system

        first = Candidate("cali", build_system, _memory(memory), frozenset({"judge", "retrieve", "templates"}))
    else:
        short = name.removeprefix("baseline:")
        if not name.startswith("baseline:") or short not in BASELINES:
            raise ConfigError("--system", name, f"cali or baseline:NAME with NAME one of {', '.join(BASELINES)}")
        first = _baseline(short)
    others = [_baseline(each) for each in BASELINES if f"baseline:{each}" != name] if with_baselines else []
    return [first, *others]


def _memory(name: str) -> MemoryFactory:
    if name in ("tfidf", "bm25"):
        from eval.memory import TextMemory

        return partial(TextMemory, "tfidf" if name == "tfidf" else "bm25")
    from cali.evaluation import open_case_memory

    return partial(open_case_memory, name)


def _baseline(short: str) -> Candidate:
    from eval.baselines import BASELINES, RETRIEVAL_BASELINES, TEMPLATE_BASELINES
    from eval.memory import TextMemory
    from eval.runner import Candidate

    if short in TEMPLATE_BASELINES:
        return Candidate(f"baseline:{short}", BASELINES[short], abilities=frozenset({"templates"}))
    if short in RETRIEVAL_BASELINES:
        memory = partial(TextMemory, "bm25" if short == "bm25" else "tfidf")
        return Candidate(f"baseline:{short}", BASELINES[short], memory, frozenset({"retrieve"}))
    return Candidate(f"baseline:{short}", BASELINES[short], abilities=frozenset({"judge"}))


def _progress(done: int, total: int, case: str) -> None:
    """A counter on a terminal, nothing in a pipe."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{done}/{total} {case[:60]}", nl=done == total, err=True)


def _print(results: Sequence[DatasetResult]) -> None:
    from rich.console import Console
    from rich.table import Table

    from eval.tables import failures, summary_table

    console = Console()
    for result in results:
        table = summary_table(result)
        shown = Table(title=f"{result.dataset.name}: {result.dataset.title}", title_justify="left")
        for number, heading in enumerate(table.headings):
            shown.add_column(heading, justify="left" if number == 0 else "right", no_wrap=number == 0)
        for row in table.rows:
            shown.add_row(*row)
        console.print(shown)
        for system, case_id, error in failures(result):
            console.print(f"failed: {system}, {case_id}: {error.strip().splitlines()[-1]}", style="red", markup=False)
