"""Snapshots of a miner: plain versioned JSON, compressed (zstd), with a checksum, written in one step.

A file holds two lines, compressed together: a header `{"schema", "version", "sha256", "bytes"}` and the payload that it
describes. Data, never code: nothing in it is executed. The file that a save replaces is kept beside it as
`<name>.previous`; caches are not saved, they fill again.
"""

from __future__ import annotations

import gc
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import orjson
import zstandard

from core.errors import InputError, PermanentError
from ingest.templates.identity import Aliases
from ingest.templates.miner import DrainMiner, MinerConfig
from ingest.templates.store import Template, TemplateStore, Variant
from ingest.templates.vocabulary import Vocabulary

SCHEMA: Final = "cali.templates.snapshot"
VERSION: Final = 1
_LEVEL: Final = 3
_MAX_BYTES: Final = 2**31
"""Payloads are refused beyond this: a small file may not unfold to all of the memory."""


def previous(path: Path) -> Path:
    """Where the snapshot that the last save replaced is kept."""
    return path.with_name(f"{path.name}.previous")


def save(miner: DrainMiner, path: Path) -> None:
    """Writes a snapshot in one step; the one it replaces is kept as `previous(path)`.

    Raises PermanentError where it cannot be written; the old snapshot is then intact.
    """
    payload = orjson.dumps(_payload(miner), option=orjson.OPT_NON_STR_KEYS)
    header = {
        "schema": SCHEMA,
        "version": VERSION,
        "sha256": hashlib.sha256(payload).hexdigest(),
        "bytes": len(payload),
    }
    data = zstandard.ZstdCompressor(level=_LEVEL).compress(orjson.dumps(header) + b"\n" + payload)
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("wb", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = Path(file.name)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            _keep(path)
        temporary.replace(path)
    except OSError as exc:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise PermanentError(f"snapshot {path} cannot be written: {exc.strerror}") from exc


def _keep(path: Path) -> None:
    """Links the standing snapshot as the previous one, so that at no moment there is none."""
    link = path.with_name(f".{path.name}.link")
    link.unlink(missing_ok=True)
    try:
        os.link(path, link)
    except OSError:  # a file system without links
        link.write_bytes(path.read_bytes())
    link.replace(previous(path))


def load(path: Path, config: MinerConfig | None = None) -> DrainMiner:
    """The miner of a snapshot.

    Raises InputError where the file is missing, damaged, or of a newer version; the message names the previous
    snapshot where there is one that can be read.
    """
    try:
        with _no_collection():
            return _restore(_read(path), config or MinerConfig())
    except InputError as exc:
        raise InputError(f"{exc}; {_way_out(path)}") from exc.__cause__


@contextmanager
def _no_collection() -> Iterator[None]:
    """Pauses the garbage collector: many small objects that all stay are read four times as fast without it."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _read(path: Path) -> dict[str, Any]:
    try:
        compressed = path.read_bytes()
    except OSError as exc:
        raise InputError(f"snapshot {path} cannot be read: {exc.strerror}") from exc
    damaged = f"snapshot {path} is damaged"
    try:
        size = zstandard.frame_content_size(compressed)
        if not 0 <= size <= _MAX_BYTES:
            raise InputError(f"{damaged}: its size is not sound")
        data = zstandard.ZstdDecompressor().decompress(compressed)
        head, _, payload = data.partition(b"\n")
        header = orjson.loads(head)
    except (zstandard.ZstdError, orjson.JSONDecodeError) as exc:
        raise InputError(f"{damaged}: {exc}") from exc
    if not isinstance(header, dict) or header.get("schema") != SCHEMA:
        raise InputError(f"{path} is no snapshot of templates")
    version = header.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise InputError(
            f"snapshot {path} is of version {version}, newer than this CALI reads (up to {VERSION}): upgrade CALI"
        )
    if hashlib.sha256(payload).hexdigest() != header.get("sha256"):
        raise InputError(f"{damaged}: its checksum does not match")
    content: dict[str, Any] = orjson.loads(payload)
    return content


def _way_out(path: Path) -> str:
    kept = previous(path)
    try:
        _read(kept)
    except InputError:
        return f"no older one can be read: move {path} away to start anew"
    return f"the previous one is whole: mv {kept} {path}"


def _payload(miner: DrainMiner) -> dict[str, Any]:
    """Columns rather than records: smaller, and faster to read."""
    store = miner.store
    templates = [store.templates[each] for each in sorted(store.templates)]
    variants = [store.variants[each] for each in sorted(store.variants)]
    return {
        "batches": miner.batches,
        "overflow": sorted(miner.overflow.items()),
        "templates": {
            "template_id": [each.template_id for each in templates],
            "born": [each.born for each in templates],
            "used": [each.used for each in templates],
            "service": [each.service for each in templates],
            "texts": [each.texts for each in templates],
            "version": [each.version for each in templates],
            "count": [each.count for each in templates],
            "variants": [each.variants for each in templates],
            "examples": [each.examples for each in templates],
        },
        "variants": {
            "template_id": [each.template_id for each in variants],
            "layout": [each.layout for each in variants],
            "words": [" ".join(each.words) for each in variants],
        },
        "aliases": sorted(store.aliases.pairs().items()),
        "forgotten": sorted(store.forgotten.items()),
        "forgotten_positions": sorted(store.forgotten_positions.items()),
        "values": sorted(miner.vocabulary.words),
    }


def _restore(content: Mapping[str, Any], config: MinerConfig) -> DrainMiner:
    try:
        columns = content["templates"]
        templates = {
            row[0]: Template(*row)
            for row in zip(
                columns["template_id"],
                columns["born"],
                columns["used"],
                columns["service"],
                columns["texts"],
                columns["version"],
                columns["count"],
                columns["variants"],
                columns["examples"],
                strict=True,
            )
        }
        columns = content["variants"]
        variants = {
            template_id: Variant(template_id, layout, tuple(words.split(" ")) if words else ())
            for template_id, layout, words in zip(
                columns["template_id"], columns["layout"], columns["words"], strict=True
            )
        }
        store = TemplateStore.restored(
            templates,
            variants,
            Aliases(dict(content["aliases"])),
            dict(content["forgotten"]),
            {each: [tuple(p) for p in positions] for each, positions in content["forgotten_positions"]},
        )
        miner = DrainMiner(config, store, content["batches"])
        miner.overflow = dict(content["overflow"])
        miner.vocabulary = Vocabulary(content.get("values", ()))  # snapshots had none at first
    except (KeyError, TypeError, ValueError) as exc:
        raise InputError(f"the snapshot lacks what its version promises ({exc!r})") from exc
    return miner


class Schedule:
    """When to save: `every` seconds apart, and so that saving takes at most `share` of the time.

    `clock` gives seconds. Call `saved` at shutdown yourself: `schedule.due()` is for the loop.
    """

    def __init__(self, clock: Callable[[], float], every: float = 60.0, share: float = 0.05) -> None:
        self._clock = clock
        self._every = every
        self._share = share
        self._next = clock() + every

    def due(self) -> bool:
        """Whether it is time to save."""
        return self._clock() >= self._next

    def save(self, miner: DrainMiner, path: Path) -> None:
        """Saves, and puts the next time far enough off that the overhead stays under `share`."""
        started = self._clock()
        save(miner, path)
        now = self._clock()
        self._next = now + max(self._every, (now - started) / self._share)
