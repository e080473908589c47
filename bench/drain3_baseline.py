"""drain3 on a log, as it is used: `TemplateMiner.add_log_message` for each message. Prints one line of JSON.

    python bench/drain3_baseline.py FILE --masks same|plain|none --lines N

Messages are read first, with the headers that CALI finds cut off (not timed). Seconds are processor time. `same`: the
masks of CALI, translated to Python's `re`; `plain`: ten usual ones (address, number, hexadecimal number and so on).
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import time
from datetime import UTC, datetime
from pathlib import Path

from drain3 import TemplateMiner
from drain3.masking import MaskingInstruction
from drain3.template_miner_config import TemplateMinerConfig

from ingest.parsing.stream import BatchStream
from ingest.sources.files import open_sources
from ingest.templates.masking import DEFAULT_MASKS

PLAIN = (
    (r"\bhttps?://\S+", "URL"),
    (r"\b[\w.+-]+@[\w-]+\.[\w.-]+\b", "EMAIL"),
    (r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b", "UUID"),
    (r"\b\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d+)?\b", "TIME"),
    (r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b", "IP"),
    (r"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b", "MAC"),
    (r"\b0x[0-9a-fA-F]+\b", "HEX"),
    (r"(?<=[\s=(])/(?:[\w.-]+/)*[\w.-]+", "PATH"),
    (r"\bblk_-?\d+\b", "BLOCK"),
    (r"(?<![A-Za-z0-9])-?\d+(?:\.\d+)?(?![A-Za-z0-9])", "NUM"),
)


def miner(masks: str) -> TemplateMiner:
    config = TemplateMinerConfig()
    config.mask_prefix = config.mask_suffix = ""
    if masks == "same":
        config.masking_instructions = [
            MaskingInstruction(
                re.sub(r"\(\?-u:\\b\)", r"\\b", each.pattern), re.sub(r"\$(\d)", r"\\\1", each.replacement)
            )
            for each in DEFAULT_MASKS
        ]
    elif masks == "plain":
        config.masking_instructions = [MaskingInstruction(pattern, f"<{name}>") for pattern, name in PLAIN]
    config.profiling_enabled = False
    return TemplateMiner(config=config)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--masks", choices=("same", "plain", "none"), default="same")
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--clusters", type=Path, help="write the cluster of each message here")
    args = parser.parse_args()
    messages: list[str] = []
    for batch in BatchStream(open_sources([args.file]).sources, observed_at=datetime.now(UTC), threads=0):
        messages.extend(batch["body"].to_list())
        if len(messages) >= args.lines:
            break
    messages = messages[: args.lines]
    template_miner = miner(args.masks)
    started = time.process_time()
    clusters = [template_miner.add_log_message(message)["cluster_id"] for message in messages]
    seconds = time.process_time() - started
    if args.clusters:
        args.clusters.write_text("\n".join(map(str, clusters)))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        json.dumps(
            {
                "lines": len(messages),
                "seconds": seconds,
                "rate": len(messages) / seconds,
                "templates": len(template_miner.drain.clusters),
                "peak_mib": memory / 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
