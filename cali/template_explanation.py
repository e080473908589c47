"""Why a line is given its template."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import polars as pl

from core.batch import LINES
from core.template_ids import template_hex
from ingest.parsing.parser import Parser
from ingest.templates import masking
from ingest.templates.miner import DrainMiner
from ingest.templates.parameters import extract, types
from ingest.templates.words import GENERAL, join, split


def explain_line(line: str, miner: DrainMiner, timezone: ZoneInfo) -> str:
    """What happens to a line, step by step, as text."""
    now = datetime.now(UTC)
    parser = Parser("line", timezone=timezone, modified_at=now, observed_at=now)
    parsed = parser.parse(pl.DataFrame({"position": [1], "line": [line]}, schema=LINES))
    records = pl.concat([parsed, parser.finish()])
    body = records["body"][0] if records.height else line
    head = pl.DataFrame({"body": [body]}).select(masking.head(pl.col("body")))["body"][0]
    masked = pl.DataFrame({"t": [head]}).select(masking.mask(pl.col("t"), miner.config.masks))["t"][0]
    out = [f"message   {head}"]
    for name, _, after in masking.fired(head, miner.config.masks):
        out.append(f"mask      {name:<9} {after}")
    words = split(masked)[0]
    out.append(f"words     {len(words)}: {' '.join(words)}")
    variant_id = miner.fit(masked)
    if variant_id is None:
        out.append("template  none known fits: the line would found one, or widen one that looks alike")
        for template_id, text, share in miner.nearest(masked):
            out.append(f"nearest   {template_hex(template_id)} {share:.0%} of the words: {text}")
        return "\n".join(out) + "\n"
    variant = miner.store.variants[variant_id]
    root = miner.resolve(variant_id)
    out.append(f"template  {template_hex(root)} {miner.text_of(root)}")
    wild = [word for word, ours in zip(words, variant.words, strict=True) if ours == GENERAL]
    constants = [word for word in variant.words if not word.startswith("<")]
    why = f"same layout, and the {len(constants)} constant words are equal"
    if wild:
        why += f"; {', '.join(wild)} where values vary"
    if join(variant.words, variant.layout) != miner.text_of(root):
        why += f"; it fits the variant {join(variant.words, variant.layout)}"
    out.append(f"because   {why}")
    if types(miner.text_of(root)):
        found = extract(miner.text_of(root), pl.Series([head]))
        out.extend(f"parameter {name} = {found[name][0]}" for name in found.columns)
    return "\n".join(out) + "\n"
