"""Datasets of simulated cases, in the format that `cali eval` reads."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from core.errors import ConfigError, InputError
from eval.simulator.faults.registry import FAULTS, fault_named
from eval.simulator.labels import Case, LogFile
from eval.simulator.scenario import FORMS, Plan, generate

_TWO: Final = 0.08
_HERRING: Final = 0.30
_BASELINE: Final = 0.40


@dataclass(frozen=True, slots=True)
class DatasetSummary:
    """What was written: cases by fault type (`healthy` for none, `stream` for streams) and lines in all."""

    directory: Path
    cases: Mapping[str, int]
    lines: int


def write_dataset(
    directory: Path,
    cases: int,
    seed: int,
    *,
    faults: Sequence[str] = (),
    healthy_share: float = 0.2,
    stream_share: float = 0.05,
    lines: int | None = None,
) -> DatasetSummary:
    """Writes `cases` labelled cases below `directory`, which must be new or empty.

    `faults` limits the fault types (default: all). Shares lie in [0, 1] and count cases; `lines` is the size of a case
    (default: between 5,000 and 10,000; streams are five times as long). The same arguments give the same bytes.
    Raises ConfigError for arguments out of range, InputError for a folder that cannot be used.
    """
    plans = plan_dataset(cases, seed, faults, healthy_share, stream_share, lines)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise InputError(f"{directory} is not empty; name a new folder for the dataset")
        return _write(directory, plans, seed)
    except OSError as exc:
        raise InputError(f"{directory}: {exc.strerror}; choose a folder that can be written to") from exc


def plan_dataset(
    cases: int, seed: int, faults: Sequence[str], healthy_share: float, stream_share: float, lines: int | None
) -> list[Plan]:
    """The plans of a dataset, in the order of its cases. Raises ConfigError."""
    if cases < 1:
        raise ConfigError("--cases", cases, "at least 1")
    for name, share in (("--healthy-share", healthy_share), ("--stream-share", stream_share)):
        if not 0 <= share <= 1:
            raise ConfigError(name, share, "a share between 0 and 1")
    if healthy_share + stream_share > 1:
        raise ConfigError("--healthy-share", healthy_share, "together with --stream-share at most 1")
    if lines is not None and lines < 1000:
        raise ConfigError("--lines", lines, "at least 1000 lines a case")
    types = [fault_named(name).type for name in faults] or list(FAULTS)
    rng = random.Random(f"dataset/{seed}")
    healthy, streams = round(cases * healthy_share), round(cases * stream_share)
    kinds = ["healthy"] * healthy + ["stream"] * streams + ["fault"] * (cases - healthy - streams)
    rng.shuffle(kinds)
    sequence = _recurring(types, rng)
    plans = []
    for index, kind in enumerate(kinds):
        plan = Plan(
            f"sim-{seed}-{index + 1:04}",
            rng.randrange(1 << 40),
            lines=lines or rng.randrange(5000, 10_001),
            minutes=rng.choice((40, 45, 50, 60, 75)),
            form=rng.choice(FORMS),
            red_herring=rng.random() < _HERRING,
            baseline=rng.random() < _BASELINE and kind != "stream",
        )
        two = rng.random() < _TWO
        if kind == "fault":
            first = next(sequence)
            second = ((rng.choice([name for name in types if name != first[0]]), ""),) if two and len(types) > 1 else ()
            plan = replace(plan, faults=(first, *second))
        elif kind == "stream":
            count = rng.randrange(3, 6)
            chosen = tuple((rng.choice(types), "") for _ in range(count))
            plan = replace(plan, faults=chosen, minutes=60 * count, lines=5 * plan.lines, stream=True, form="envelope")
        plans.append(plan)
    return plans


def _recurring(types: Sequence[str], rng: random.Random) -> Iterator[tuple[str, str]]:
    """Faults without end: every type once a round; a target comes twice before the next one, so that causes recur."""
    order = list(types)
    rng.shuffle(order)
    offsets = {name: rng.randrange(len(FAULTS[name].targets)) for name in order}
    turn = 0
    while True:
        for name in order:
            targets = FAULTS[name].targets
            yield name, targets[(offsets[name] + turn // 2) % len(targets)]
        turn += 1


def _write(directory: Path, plans: Sequence[Plan], seed: int) -> DatasetSummary:
    logs = directory / "logs"
    logs.mkdir()
    rows: list[dict[str, object]] = []
    counts: Counter[str] = Counter()
    total = 0
    for plan in plans:
        case = generate(plan)
        for file in (*case.logs, *case.baseline):
            path = logs / file.name
            path.parent.mkdir(exist_ok=True)
            with path.open("w", encoding="utf-8", newline="\n") as out:
                out.writelines(f"{line}\n" for line in file.lines)
            total += len(file.lines)
        rows.append(_row(case, plan))
        counts[
            "stream" if plan.stream else case.incidents[0].root_cause.fault_type if case.incidents else "healthy"
        ] += 1
    _relate(rows)
    with (directory / "cases.jsonl").open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    (directory / "dataset.toml").write_text(_about(seed, len(plans)), encoding="utf-8", newline="\n")
    return DatasetSummary(directory, dict(sorted(counts.items())), total)


def _about(seed: int, cases: int) -> str:
    return (
        f'name = "simulated-{seed}"\n'
        f'title = "{cases} simulated cases of a small shop"\n'
        'licence = "Apache-2.0"\n'
        f'source = "cali simulate --seed {seed}"\n'
        'kind = ["rca", "detection-lines", "streams", "retrieval"]\n'
        'timezone = "UTC"\n'
    )


def _time(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03}Z"


def _row(case: Case, plan: Plan) -> dict[str, object]:
    row: dict[str, object] = {
        "case_id": case.case_id,
        "logs": [f"logs/{file.name}" for file in case.logs],
        "window_start": _time(case.window_start),
        "window_end": _time(case.window_end),
        "is_incident": bool(case.incidents),
        "pool": "simulated",
        "group": case.case_id,
        "traits": list(case.traits),
        "source": f"cali simulate, seed {plan.seed}",
    }
    if case.baseline:
        row["baseline_logs"] = [f"logs/{file.name}" for file in case.baseline]
    row["anomalous_lines"] = list(case.logs[0].anomalous)
    if len(case.logs) > 1:
        row["anomalous_lines_by_log"] = _by_log(case.logs)
    row["change_lines_by_log"] = {f"logs/{file.name}": list(file.changes) for file in case.logs if file.changes}
    if case.incidents:
        first = case.incidents[0]
        row["onset"] = _time(first.starts_at)
        row["symptom"] = first.symptom
        row["root_cause"] = first.root_cause.to_json()
        row["observable"] = True
        row["incidents"] = [
            {
                "id": incident.id,
                "starts_at": _time(incident.starts_at),
                "ends_at": _time(incident.ends_at),
                "root_cause": incident.root_cause.to_json(),
                "symptom": incident.symptom,
            }
            for incident in case.incidents
        ]
    if case.grey:
        row["grey"] = [{"starts_at": _time(start), "ends_at": _time(end)} for start, end in case.grey]
    return row


def _by_log(files: Sequence[LogFile]) -> dict[str, list[int]]:
    return {f"logs/{file.name}": list(file.anomalous) for file in files if file.anomalous}


def _relate(rows: Sequence[dict[str, object]]) -> None:
    """`related`: same fault type and service; `related_other_service`: same fault type elsewhere. Streams stay out."""
    causes: dict[str, tuple[str, str]] = {}
    for row in rows:
        cause, traits = row.get("root_cause"), row["traits"]
        if isinstance(cause, dict) and isinstance(traits, list) and "stream" not in traits:
            causes[str(row["case_id"])] = (cause["fault_type"], cause["service"])
    for row in rows:
        own = causes.get(str(row["case_id"]))
        others = {name: cause for name, cause in causes.items() if name != row["case_id"]} if own else {}
        row["related"] = [name for name, cause in others.items() if cause == own]
        row["related_other_service"] = [
            name for name, cause in others.items() if own and cause[0] == own[0] and cause[1] != own[1]
        ]
