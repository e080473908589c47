"""Accuracy of template mining on ten systems of Loghub-2k (corrected labels), and what each mechanism gives.

    python bench/template_accuracy.py [--ablation] [--leave-one-out] [--continued]

GA, FGA, PA and FTA as Loghub-2.0 defines them (eval/metrics_templates.py), texts compared exactly with typed wildcards
written `<*>`. One configuration, the default, for all systems. `--ablation` switches one mechanism off at a time;
`--leave-one-out` chooses each threshold on nine systems and scores it on the tenth; `--continued` mines all systems one
after the other with one miner, as a state folder would see them.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl
from drain3.drain import Drain

from eval.metrics_templates import fga, fta, grouping_accuracy, parsing_accuracy
from ingest.templates.evidence import Thresholds
from ingest.templates.masking import DEFAULT_MASKS, mask
from ingest.templates.miner import DrainMiner, MinerConfig
from ingest.templates.siblings import SiblingRules

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "loghub_2k"
Scores = tuple[float, float, float, float]
Labelled = tuple[list[str], list[str]]
Parser = Callable[[list[str]], tuple[list[int], list[str]]]

_T, _S = Thresholds(), SiblingRules()
ABLATIONS: Mapping[str, MinerConfig] = {
    "full": MinerConfig(),
    "values after `=` vary like others": MinerConfig(thresholds=replace(_T, after_equals=_T.plain)),
    "values after `:` vary like others": MinerConfig(thresholds=replace(_T, after_colon=_T.identifiers)),
    "identifiers vary like plain words": MinerConfig(thresholds=replace(_T, identifiers=_T.plain)),
    "the first word varies like others": MinerConfig(thresholds=replace(_T, first=_T.plain)),
    "no words in step": MinerConfig(thresholds=replace(_T, in_step=False)),
    "no units": MinerConfig(thresholds=replace(_T, units=False)),
    "no words known to be values": MinerConfig(thresholds=replace(_T, known=False)),
    "no pairs": MinerConfig(siblings=replace(_S, pairs=False)),
    "no runs": MinerConfig(siblings=replace(_S, runs=False)),
    "no fans": MinerConfig(siblings=replace(_S, fans=False)),
    "no lists": MinerConfig(siblings=replace(_S, lists=0)),
    "no keyed": MinerConfig(siblings=replace(_S, keyed=False)),
    "no enclosed": MinerConfig(siblings=replace(_S, enclosed=False)),
    "no tails": MinerConfig(siblings=replace(_S, tails=0)),
    "no actors": MinerConfig(siblings=replace(_S, actors=False)),
    "no siblings at all": MinerConfig(
        siblings=SiblingRules(
            pairs=False, runs=False, fans=False, lists=0, keyed=False, enclosed=False, tails=0, actors=False
        )
    ),
    "masks: numbers only": MinerConfig(masks=tuple(each for each in DEFAULT_MASKS if each.name in ("NUM", "ID"))),
}
GRID = {
    "plain": (4, 5, 6, 8),
    "identifiers": (2, 3, 4),
    "first": (5, 10, 20),
}


def load() -> dict[str, Labelled]:
    data = {}
    for folder in sorted(DATA.iterdir()):
        table = pl.read_csv(folder / f"{folder.name}_2k.log_structured_corrected.csv", infer_schema=False)
        table = table.fill_null("")
        data[folder.name] = (table["Content"].to_list(), table["EventTemplate"].to_list())
    return data


def cali(config: MinerConfig, miner: DrainMiner | None = None) -> Parser:
    def parse(messages: list[str]) -> tuple[list[int], list[str]]:
        used = miner or DrainMiner(config)
        ids = used.assign(pl.DataFrame({"body": messages}))["template_id"].to_list()
        final = [used.resolve(each) for each in ids]
        return final, [used.text_of(each) for each in final]

    return parse


def drain3(masked: bool, similarity: float = 0.4, depth: int = 4) -> Parser:
    def parse(messages: list[str]) -> tuple[list[int], list[str]]:
        drain = Drain(sim_th=similarity, depth=depth)
        frame = pl.DataFrame({"t": messages})
        texts = frame.select(mask(pl.col("t")))["t"].to_list() if masked else messages
        clusters = [drain.add_log_message(text)[0] for text in texts]
        return [each.cluster_id for each in clusters], [each.get_template() for each in clusters]

    return parse


def score(parser: Parser, labelled: Labelled) -> Scores:
    messages, truth = labelled
    ids, texts = parser(messages)
    return (
        grouping_accuracy(ids, truth),
        fga(ids, truth),
        parsing_accuracy(texts, truth),
        fta(texts, truth),
    )


def mean(scores: list[Scores]) -> Scores:
    a, b, c, d = (sum(column) / len(scores) for column in zip(*scores, strict=True))
    return a, b, c, d


def row(name: str, scores: Scores) -> None:
    print(f"| {name} | " + " | ".join(f"{value:.3f}" for value in scores) + " |", flush=True)


def leave_one_out(data: Mapping[str, Labelled]) -> None:
    names = list(GRID)
    results = {
        values: {
            system: score(cali(MinerConfig(thresholds=replace(_T, **dict(zip(names, values, strict=True))))), labelled)
            for system, labelled in data.items()
        }
        for values in itertools.product(*GRID.values())
    }
    held_out = []
    for system in data:
        best = max(results, key=lambda v: (sum(sum(s) for name, s in results[v].items() if name != system), v))
        held_out.append(results[best][system])
        row(f"{system}, chosen without it: {dict(zip(names, best, strict=True))}", results[best][system])
    row("mean", mean(held_out))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ablation", action="store_true")
    parser.add_argument("--leave-one-out", action="store_true")
    parser.add_argument("--continued", action="store_true")
    args = parser.parse_args()
    data = load()
    print("| | GA | FGA | PA | FTA |\n| --- | --- | --- | --- | --- |")
    if args.ablation:
        row("drain3, default", mean([score(drain3(False), each) for each in data.values()]))
        row("drain3 on masked messages", mean([score(drain3(True), each) for each in data.values()]))
        for name, config in ABLATIONS.items():
            row(name, mean([score(cali(config), each) for each in data.values()]))
    elif args.leave_one_out:
        leave_one_out(data)
    else:
        miner = DrainMiner() if args.continued else None
        scores = {system: score(cali(MinerConfig(), miner), labelled) for system, labelled in data.items()}
        for system, found in scores.items():
            row(system, found)
        row("mean", mean(list(scores.values())))


if __name__ == "__main__":
    main()
