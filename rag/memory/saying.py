"""What a line says, without what its logger and its collector put around it.

Structured logs keep what happened in fields: a template is the message alone (`invalid_request`), the reason stands
beside it. The time, the host, the logger and the ids of a record say nothing about a fault; left in, they are what two
records of one collector share.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import orjson

MAX_SAID_CHARS: Final = 400
_MAX_DEPTH: Final = 5
_MAX_CHARS: Final = 100_000
_METADATA_FIELDS: Final = """
    timestamp time ts date datetime asctime eventtime firsttimestamp lasttimestamp creationtimestamp starttime
    endtime level levelname levelno lvl severity severitytext severitynumber loglevel priority stream logger
    loggername name module filename pathname lineno funcname caller file line thread threadname threadid process
    processname processid pid tid host hostname node nodename instance ip remoteaddr clientip service servicename
    app application container containername containerid image imageid pod podname poduid namespace namespacename
    cluster region zone env environment version apiversion fieldpath uid resourceversion labels annotations tags
    traceid spanid parentid requestid reqid correlationid sessionid userid user customer id uuid key useragent
    referer referrer kubernetes docker cloud agent ecs source sourcecomponent reportingcomponent reportinginstance
"""
_METADATA: Final = frozenset(_METADATA_FIELDS.split())
"""Names of fields, without separators, that tell who wrote a record, when and of which request."""
_TELLING_FIELDS: Final = """
    message msg event error err exception exceptiontype exctype excinfo reason cause type code errorcode errortype
    sqlstate errno status statuscode detail details description operation op upstream dependency target topic
    queue
"""
_TELLING: Final = frozenset(_TELLING_FIELDS.split())
"""Names of fields whose value tells though it is a single word."""
_SEPARATOR: Final = re.compile(r"[\W_]+")
_WORD: Final = re.compile(r"[^\W\d_]{3,}")
_PAIR: Final = re.compile(r'\b([A-Za-z][\w.-]*)="((?:[^"\\]|\\.)*)"')


@lru_cache(maxsize=4096)
def said(line: str) -> str:
    """The words of a line: of a JSON object, its fields that tell something; of other lines, all but the pairs
    (`host="a"`) that tell nothing. At most 400 characters."""
    return "\n".join(dict.fromkeys(_parts(line, 0)))[:MAX_SAID_CHARS]


def is_structured(line: str) -> bool:
    """Whether a line's fields say more than its message."""
    return _loaded(line) is not None


def _parts(text: str, depth: int) -> Iterator[str]:
    value = _loaded(text) if depth < _MAX_DEPTH else None
    if value is None:
        lines = [line for line in text.split("\n") if line[:1].strip() and not line.startswith("Traceback ")]
        yield _PAIR.sub(_pair, "\n".join(lines)).strip()
    else:
        yield from _fields(value, depth + 1)


def _fields(value: dict[str, Any], depth: int) -> Iterator[str]:
    for key, held in value.items():
        name = _SEPARATOR.sub("", key).lower()
        if name in _METADATA:
            continue
        yield from _values(held, name in _TELLING, depth)


def _values(held: Any, telling: bool, depth: int) -> Iterator[str]:
    if isinstance(held, dict) and depth < _MAX_DEPTH:
        yield from _fields(held, depth + 1)
    elif isinstance(held, list) and depth < _MAX_DEPTH:
        for one in held[:5]:
            yield from _values(one, telling, depth + 1)
    elif isinstance(held, str):
        if _loaded(held) is not None or len(_WORD.findall(held)) >= 2 or (telling and held):
            yield from _parts(held, depth)
    elif telling and isinstance(held, int) and not isinstance(held, bool):
        yield str(held)


def _pair(match: re.Match[str]) -> str:
    return "" if _SEPARATOR.sub("", match[1]).lower() in _METADATA else match[2]


def _loaded(text: str) -> dict[str, Any] | None:
    if not text.startswith("{") or len(text) > _MAX_CHARS:
        return None
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None
