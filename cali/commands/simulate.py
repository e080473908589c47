"""`cali simulate`: labelled logs of a simulated shop, as a dataset or as a paced stream."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click


@click.command()
@click.option("--dataset", type=click.Path(path_type=Path), metavar="DIR", help="Write labelled cases to a new folder.")
@click.option("--cases", type=int, default=100, show_default=True, help="Number of cases.")
@click.option("--lines", type=int, help="Lines of a case; default: between 5,000 and 10,000.")
@click.option("--healthy-share", type=float, default=0.2, show_default=True, help="Share of cases without a fault.")
@click.option("--stream-share", type=float, default=0.05, show_default=True, help="Share of long cases, many faults.")
@click.option("--stream", metavar="URL|-", help="Send lines as time passes: -, http(s)://..., kinesis://STREAM.")
@click.option("--rate", type=float, default=20.0, show_default=True, help="Lines per second of the stream, about.")
@click.option("--duration", type=float, help="Seconds to stream; default: until Ctrl-C.")
@click.option("--fault-every", type=float, default=30.0, show_default=True, help="Minutes between faults; 0: none.")
@click.option("--faults", default="", metavar="TYPE[,TYPE...]", help="Only these fault types; default: all.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same logs.")
@click.option("--list", "listing", is_flag=True, help="Show the fault types and where they strike.")
def simulate(
    dataset: Path | None,
    cases: int,
    lines: int | None,
    healthy_share: float,
    stream_share: float,
    stream: str | None,
    rate: float,
    duration: float | None,
    fault_every: float,
    faults: str,
    seed: int,
    listing: bool,
) -> int:
    """Write labelled logs of a simulated shop.

    \b
    cali simulate --dataset sim --cases 100 --seed 7
    cali simulate --stream - --rate 50 --duration 60 | cali analyze -
    cali simulate --stream 'kinesis://shop-logs?region=eu-central-1' --rate 200
    """
    if sum((dataset is not None, stream is not None, listing)) != 1:
        raise click.UsageError("give one of --dataset DIR, --stream URL|- or --list")
    types = tuple(name.strip() for name in faults.split(",") if name.strip())
    if listing:
        _list()
    elif dataset is not None:
        from eval.simulator.dataset import write_dataset

        summary = write_dataset(
            dataset, cases, seed, faults=types, healthy_share=healthy_share, stream_share=stream_share, lines=lines
        )
        click.echo(f"{sum(summary.cases.values())} cases, {summary.lines:,} lines in {summary.directory}", err=True)
        click.echo(", ".join(f"{name} {count}" for name, count in summary.cases.items()), err=True)
        click.echo(f"Next: cali eval run {summary.directory}", err=True)
    elif stream is not None:
        from eval.simulator.senders import sender
        from eval.simulator.stream import StreamPlan, run

        plan = StreamPlan(seed, rate, fault_every * 60, types)
        sent = run(plan, sender(stream, sys.stdout), datetime.now(UTC), duration)
        click.echo(f"{sent:,} lines sent", err=True)
    return 0


def _list() -> None:
    from core.domain import FAULT_TYPES
    from eval.simulator.faults.registry import FAULTS

    width = max(map(len, FAULTS))
    for fault in FAULTS.values():
        category = FAULT_TYPES[fault.type].value
        click.echo(f"{fault.type:<{width}}  {category:<13}  {fault.summary} ({', '.join(fault.targets)})")
