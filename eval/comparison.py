"""`cali eval compare A B`: what got better and what got worse, on the cases that both runs hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from eval.bootstrap import CaseRows, Difference, compare
from eval.results import read_scores
from eval.scoring import case_value


@dataclass(frozen=True, slots=True)
class CaseChange:
    """How one case went in A and in B (see `eval.scoring.case_value`)."""

    case_id: str
    a: float
    b: float


@dataclass(frozen=True, slots=True)
class DatasetComparison:
    """One dataset in both runs. `better` and `worse` list the cases, the largest change first; `only_a` and `only_b`
    the cases that have no counterpart."""

    dataset: str
    system_a: str
    system_b: str
    differences: tuple[Difference, ...]
    better: tuple[CaseChange, ...]
    worse: tuple[CaseChange, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]


def compare_runs(
    a: Path, b: Path, seed: int, resamples: int, system_a: str | None = None, system_b: str | None = None
) -> list[DatasetComparison]:
    """Compares two finished runs, dataset by dataset; systems default to the first of each run.

    Raises InputError where a folder holds no finished run, or the two have no dataset in common.
    """
    left, right = read_scores(a), read_scores(b)
    common = [name for name in left if name in right]
    if not common:
        raise InputError(f"no dataset is in both runs: {a} has {', '.join(left)}; {b} has {', '.join(right)}")
    return [_compare(name, left[name], right[name], seed, resamples, system_a, system_b) for name in common]


def _compare(
    name: str,
    left: Mapping[str, CaseRows],
    right: Mapping[str, CaseRows],
    seed: int,
    resamples: int,
    system_a: str | None,
    system_b: str | None,
) -> DatasetComparison:
    chosen_a, chosen_b = _system(left, system_a, name), _system(right, system_b, name)
    one, two = left[chosen_a], right[chosen_b]
    changes = []
    for case_id in one:
        if case_id in two:
            before, after = case_value(_lists(one[case_id])), case_value(_lists(two[case_id]))
            if before is not None and after is not None:
                changes.append(CaseChange(case_id, before, after))
    return DatasetComparison(
        dataset=name,
        system_a=chosen_a,
        system_b=chosen_b,
        differences=tuple(compare(one, two, seed, resamples)),
        better=tuple(sorted((c for c in changes if c.b > c.a + 1e-9), key=lambda c: c.a - c.b)),
        worse=tuple(sorted((c for c in changes if c.b < c.a - 1e-9), key=lambda c: c.b - c.a)),
        only_a=tuple(case_id for case_id in one if case_id not in two),
        only_b=tuple(case_id for case_id in two if case_id not in one),
    )


def _lists(rows: Mapping[str, object]) -> dict[str, list[list[float]]]:
    return {family: [list(row) for row in each] for family, each in rows.items()}  # type: ignore[attr-defined]


def _system(systems: Mapping[str, CaseRows], wanted: str | None, dataset: str) -> str:
    if wanted is None:
        return next(iter(systems))
    if wanted not in systems:
        raise InputError(f"{dataset} was not run with {wanted!r}, only with {', '.join(systems)}")
    return wanted
