"""Whose credentials a server refuses: where the user of a refused log-in is called like a service, that is the client.

Servers log the user (`PLAIN login refused: user 'mailer'`, `password authentication failed for user "billing"`, `Could
not find or verify user: images`); the client itself often shows no more than that it may not. The credentials that are
wrong are the client's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from core.domain import SuspectKind
from rag.suspects.clue import Clue
from rag.suspects.names import simple
from rag.suspects.proposal import Proposal, clue_facts, counted, message_of
from rag.suspects.scene import Scene

_USER: Final = re.compile(
    r"\b(?:user(?:name)?|account|principal|client|role)\b[ =:]{1,3}[\"'`\\]{0,2}(?P<name>[A-Za-z][\w.-]{1,40})",
    re.IGNORECASE,
)
_USER_SUFFIX: Final = re.compile(r"[-_](?:user|usr|app|rw|ro|svc|service)$")


def propose(scene: Scene) -> Iterator[Proposal]:
    """One proposal for each service by whose name a refused log-in was tried."""
    for clue in scene.clues:
        refused = clue.reading is not None and clue.reading.fault_type == "credential_expired"
        name = refused_user(clue.text) if refused and clue.novelty > 0.3 else None
        client = _client(name, clue, scene) if name is not None else None
        if client is None:
            continue
        yield Proposal(
            kind=SuspectKind.PROPAGATION,
            cause=f"{clue.service or 'a server'} refuses the credentials of {client} (user {name}): {message_of(clue)}",
            why=(f"log-ins as {name}, which {client} uses, are refused", counted(clue)),
            facts=replace(clue_facts(clue), strength=0.9, upstream=0.5),
            evidence=(clue.evidence,),
            fault_type="credential_expired",
            service=client,
            component=None if scene.kubernetes else f"user/{name}",
            words=frozenset({client, "credentials", "password"}),
        )


def refused_user(text: str) -> str | None:
    """The user that the message of a refused log-in names."""
    match = _USER.search(text[:1_000])
    return match["name"] if match is not None else None


def _client(user: str, clue: Clue, scene: Scene) -> str | None:
    """The service that logs in as this user; none where it is the one that refuses, which manages users of its own."""
    wanted = _USER_SUFFIX.sub("", simple(user))
    for service in sorted(scene.services):
        if service != clue.service and simple(service) in (wanted, simple(user)):
            return service
    return None
