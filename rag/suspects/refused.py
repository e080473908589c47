"""Requests that a server refuses, as its access log tells: at which path, and from which program."""

from __future__ import annotations

import re
from typing import Final

from rag.suspects.access import Access, access_of
from rag.suspects.clue import Clue
from rag.suspects.scene import Scene

_LOGIN: Final = re.compile(r"log-?in|sign-?in|auth|token|session|password", re.IGNORECASE)
_BROWSER: Final = re.compile(r"mozilla|^-$", re.IGNORECASE)


def login_endpoint(scene: Scene) -> str | None:
    """`endpoint/path` of the path at which log-ins are refused; None where none are."""
    seen = [entry for entry in _refused(scene) if entry[1].status in (401, 403, 429)]
    if not seen:
        return None
    path = max(seen, key=lambda entry: (_LOGIN.search(entry[1].path) is not None, entry[0].activity.during))[1].path
    return f"endpoint/{path.split('?', 1)[0].strip('/')}"


def refused_client(scene: Scene) -> str | None:
    """`client/name` of the program whose requests are refused as malformed, by its user agent; None where none are."""
    seen = [
        entry
        for entry in _refused(scene)
        if entry[1].status in (400, 413, 415, 422) and not _BROWSER.search(entry[1].agent)
    ]
    if not seen:
        return None
    agent = max(seen, key=lambda entry: entry[0].activity.during)[1].agent
    return f"client/{re.split(r'[/ ]', agent, maxsplit=1)[0]}"


def _refused(scene: Scene) -> list[tuple[Clue, Access]]:
    return [
        (clue, served)
        for clue in scene.clues
        if clue.novelty > 0.3 and (served := access_of(clue.text)) is not None and 400 <= served.status < 500
    ]
