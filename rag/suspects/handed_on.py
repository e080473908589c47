"""Failures that a program only hands on: another one failed first, and this is what its caller makes of the answer.

Three signs, none of which names a product: the message carries another one (a wrapper, a relayed trace, an answer);
the innermost calls go through a client, and the error tells of a server's answer; the words say that the error is a
remote one. Each counts only where a failure that is not handed on itself, told no later, is there to be its origin.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from core.domain import Citation
from core.stacktrace import root_frame
from rag.suspects.clue import Clue
from rag.suspects.frame import own_packages
from rag.suspects.names import is_product

_ANSWER: Final = re.compile(
    r"\b(?:HTTP(?:/[\d.]+)?(?: status| error)?(?: code)?[: =]*5\d\d|5\d\d (?:Internal Server Error|Bad Gateway|"
    r"Service Unavailable|Server Error)|Internal ?Server ?Error|Server ?Error|status code:? 5\d\d|"
    r"ServiceUnavailable|BadGateway|UpstreamError|ClientException|FeignException|StatusRuntimeException|RpcError|"
    r"HTTPStatusError|HttpServerErrorException|RestClientException|AxiosError)\b",
    re.IGNORECASE,
)
"""An error that is the answer of a server."""
_CLIENT: Final = re.compile(
    r"client|keystoneauth|requests/|urllib3|httpx|aiohttp|okhttp|feign|resttemplate|axios|node-fetch|undici|"
    r"grpc|thrift|net/http|botocore|boto3|messaging|rpc",
    re.IGNORECASE,
)
"""Files and modules of calls that leave the process."""
_REMOTE: Final = re.compile(
    r"\bremote ?error\b|\bremote exception\b|rpc error: code = (?:Unknown|Internal)", re.IGNORECASE
)
_ANSWERED: Final = re.compile(
    r"\b5\d\d (?:Internal Server Error|Bad Gateway|Service Unavailable|Server Error)\b.{0,40}\b(?:from|by|of|at|for) "
    r"(?:(?:GET|POST|PUT|PATCH|DELETE) )?[\"'`]?https?://",
    re.IGNORECASE,
)
"""An answer and the address that gave it."""
_TELLING: Final = 16
_ENOUGH: Final = 48
"""Characters that a message must have before its repetition means anything, and how many of them must come again: an
answer often ends earlier than the message that it repeats."""

_WORD: Final = re.compile(r"[A-Za-z]{2}")
"""A wrapper has words of its own before what it repeats."""

Origins = Mapping[Citation, tuple[Clue, ...]]


def handed_on(clues: Sequence[Clue]) -> Origins:
    """The records of failing clues that only hand on a failure, each with the clues that may be its origin."""
    failing = [clue for clue in clues if clue.failing]
    remote = {clue.citation for clue in failing if _remote(clue)}
    told = {_head(clue) for clue in failing if clue.citation in remote and clue.traces}
    remote |= {clue.citation for clue in failing if clue.traces and _head(clue) in told}  # logged again on its way up
    first = [clue for clue in failing if clue.citation not in remote and clue.traces and clue.novelty > 0.3]
    found: dict[Citation, tuple[Clue, ...]] = {}
    for clue in failing:
        candidates = [*_repeated(clue, failing), *(first if clue.citation in remote else ())]
        origins = {other.citation: other for other in candidates if _before(other, clue)}
        if origins:
            found[clue.citation] = tuple(origins.values())
    return found


def _head(clue: Clue) -> tuple[str | None, str | None]:
    return clue.traces[0].exception, clue.traces[0].message


def _remote(clue: Clue) -> bool:
    """Whether a clue tells of another program's failure."""
    head = clue.text.split("\n", 1)[0]
    told = "\n".join([head, *(f"{trace.exception}: {trace.message or ''}" for trace in clue.traces)])
    if _REMOTE.search(told) or _ANSWERED.search(told):
        return True
    found = root_frame(clue.traces, own_packages(clue))
    if found is None or _ANSWER.search(told) is None:
        return False
    trace, frame = found
    below = trace.frames[trace.frames.index(frame) + 1 :]
    return any(_CLIENT.search(f"{call.file or ''} {call.module or ''}") for call in below)


def _repeated(clue: Clue, others: Sequence[Clue]) -> Iterator[Clue]:
    """The clues whose message a clue carries inside a longer one of its own: wrapped, or as another's answer."""
    said = _message(clue)
    for other in others:
        message = _message(other)[:_ENOUGH]
        if len(message) < _TELLING:
            continue
        before, found, _ = said.partition(message)
        if not found or not _WORD.search(before):
            continue
        if is_product(clue.service or "") and not is_product(other.service or ""):
            continue  # what a client says of a database, it has from there
        if clue.traces and other.traces and clue.traces[0].exception == other.traces[0].exception:
            continue  # the same exception, told with more words
        yield other


def _message(clue: Clue) -> str:
    """What the root exception says, or the first line."""
    said = clue.traces[0].message if clue.traces else None
    return (said or clue.text.split("\n", 1)[0]).strip()


def _before(one: Clue, other: Clue) -> bool:
    """Whether one was told no later than the other; true where there are no times to tell."""
    if one.citation == other.citation:
        return False
    first, second = one.record.timestamp, other.record.timestamp
    return first is None or second is None or first <= second
