"""`cali doctor`: what is configured, what answers, what is missing."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import click

from core.config import Settings, config_path, load
from core.errors import CaliError

Status = Literal["ok", "off", "warn", "fail"]
_MARKS: dict[Status, tuple[str, str]] = {
    "ok": ("ok  ", "green"),
    "off": ("off ", "bright_black"),
    "warn": ("warn", "yellow"),
    "fail": ("FAIL", "red"),
}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at, and what to do about it where something is wrong."""

    name: str
    status: Status
    detail: str
    advice: str = ""


@click.command()
@click.option("--state", type=click.Path(path_type=Path), metavar="DIR", help="Learned state; default .cali.")
@click.option("--format", "chosen", type=click.Choice(["text", "json"]), default="text", show_default=True)
def doctor(state: Path | None, chosen: str) -> int:
    """Say what is configured, what answers, what is missing. Exit 3 where something configured does not work."""
    checks = [_program()]
    settings: Settings | None = None
    try:
        settings = load(state=state)
        path = config_path()
        checks.append(Check("configuration", "ok", f"{path or 'defaults'}; profile {settings.profile}"))
        checks.extend(_unknown_variables(frozenset(Settings.model_fields)))
    except CaliError as exc:
        checks.append(Check("configuration", "fail", str(exc), "mend cali.toml or the CALI_* variable"))
    if settings is not None:
        looks = (_state, _catalog, _templates, _memory, _model)
        checks.extend(_guarded(look, settings) for look in looks)
    if chosen == "json":
        import orjson

        document = {"schema": "cali.doctor/1", "checks": [asdict(check) for check in checks]}
        click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    else:
        for check in checks:
            mark, color = _MARKS[check.status]
            click.echo(f"{click.style(mark, fg=color)}  {check.name:<14} {check.detail}")
            if check.advice:
                click.echo(f"{'':<21}{check.advice}")
    return 3 if any(check.status == "fail" for check in checks) else 0


def _program() -> Check:
    versions = [f"cali {version('cali-log-insight')}", f"Python {platform.python_version()}"]
    for package in ("polars", "drain3", "pymilvus", "milvus-lite", "langchain", "onnxruntime"):
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            return Check("program", "fail", f"{package} is not installed", "pip install -c requirements.lock -e .")
    return Check("program", "ok", ", ".join(versions))


def _unknown_variables(known: frozenset[str]) -> Iterator[Check]:
    for name in sorted(os.environ):
        if name.startswith("CALI_") and name not in {"CALI_CONFIG"}:
            setting = name.removeprefix("CALI_").removesuffix("_FILE").lower()
            if setting not in known:
                yield Check("configuration", "warn", f"{name} is set, but there is no such setting")


def _guarded(look: Callable[[Settings], Check], settings: Settings) -> Check:
    try:
        return look(settings)
    except CaliError as exc:
        return Check(look.__name__.strip("_"), "fail", str(exc))


def _state(settings: Settings) -> Check:
    folder = settings.state
    if not folder.exists():
        return Check("state", "off", f"{folder} does not exist yet", "the first `cali analyze` makes it")
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        return Check("state", "fail", f"{folder} is no writable folder", "name another with --state")
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    free = shutil.disk_usage(folder).free
    detail = f"{folder}: {size / 1e6:.1f} MB; {free / 1e9:.1f} GB free on the disk"
    return Check("state", "warn" if free < 200e6 else "ok", detail, "little space is left" if free < 200e6 else "")


def _catalog(settings: Settings) -> Check:
    location = settings.catalog_location()
    if settings.catalog_url is None and not (settings.state / "catalog.db").exists():
        return Check("catalog", "off", "nothing was learned yet")
    from catalog.engine import open_catalog
    from catalog.incidents import CatalogIncidents

    catalog = open_catalog(location)
    try:
        found = CatalogIncidents(catalog).list(None, None, None, 1000)
    finally:
        catalog.close()
    shown = "1000 or more" if len(found) == 1000 else str(len(found))
    kind = "SQLite" if location.startswith("sqlite") else "PostgreSQL"
    return Check("catalog", "ok", f"{kind}, {shown} incident{'' if len(found) == 1 else 's'} on record")


def _templates(settings: Settings) -> Check:
    from cali.state import StateFolder

    path = StateFolder(settings.state).templates
    if not path.exists():
        return Check("templates", "off", "no snapshot yet")
    from ingest.templates.snapshots import load as load_snapshot

    return Check("templates", "ok", f"{len(load_snapshot(path).templates()):,} templates in the snapshot")


def _memory(settings: Settings) -> Check:
    from rag.memory import is_initialised

    if settings.memory_uri is None and not is_initialised(settings.state):
        return Check("memory", "off", "no memory of past incidents", "cali memory init makes one")
    from cali.recall import opened

    with opened(settings) as memory:
        assert memory is not None  # initialised, as seen above
        stats = memory.stats()
    where = "Milvus Lite in the state folder" if settings.memory_uri is None else settings.memory_uri
    return Check(
        "memory", "ok", f"{where}: {stats.incidents:,} incidents, {stats.documents:,} passages, model {stats.model}"
    )


def _model(settings: Settings) -> Check:
    if not settings.model_configured:
        advice = "set CALI_LLM_BASE_URL, CALI_LLM_MODEL and CALI_LLM_API_KEY to have one"
        return Check("model", "off", "no language model: causes come from suspects and memory", advice)
    from cali.wiring import open_chat_model

    return Check(
        "model", "ok", f"{settings.llm_model} at {settings.llm_base_url}: {open_chat_model(settings).answers()}"
    )
