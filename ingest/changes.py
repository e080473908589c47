"""Change events that the logs themselves report: deploys, configuration, migrations, scaling, restarts.

Each template is asked once, by one of its messages; only the places of the few templates that tell of a change are then
looked up. The words are general: what Kubernetes, deployment tools, schema migration tools and servers print.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from core.domain import ChangeKind

_KINDS: Final[tuple[tuple[ChangeKind, re.Pattern[str]], ...]] = (
    (
        ChangeKind.MIGRATION,
        re.compile(
            r"""(?ix)
            \b(?:(?:schema|database|db)[ ]migrat\w+|migrat(?:ion|ions|ing|ed)\b.{0,60}\b(?:appl\w+|complet\w+|start\w+|runn?\w*|success\w*|version|finished|to)
            |(?:appl\w+|running|run|executing)\b.{0,40}\bmigrations?|flyway|liquibase|alembic\.runtime\.migration
            |alter[ ]table|create[ ]index|drop[ ](?:table|column|index)|add[ ]column)\b
            """
        ),
    ),
    (
        ChangeKind.SCALE,
        re.compile(
            r"""(?ix)
            \b(?:scal(?:ed|ing)[ ](?:up|down|out|in|to|from|replica|deployment)\b|ScalingReplicaSet\b|SuccessfulRescale\b
            |(?:replicas|desired[ ]capacity|pool[ ]size)\b.{0,20}\b(?:changed|from|->)|resiz(?:ed|ing)\b.{0,30}\b(?:to|from)
            |(?:added|removed|adding|removing)[ ]\d*[ ]?(?:nodes?|replicas?|workers?|instances?))
            """
        ),
    ),
    (
        ChangeKind.DEPLOY,
        re.compile(
            r"""(?ix)
            \b(?:deploy(?:ed|ing|ment)\b.{0,60}\b(?:version|v?\d+\.\d+|revision|release|image|start\w*|complet\w*|succe\w*|roll\w*)
            |deployed\b|roll(?:ing)?[ ]?(?:out|update)\b|rollout\b|new[ ](?:version|release|revision)\b|upgrad(?:ed|ing)\b.{0,40}\b(?:to|from|version)
            |release[ ]v?\d+|build[ ](?:sha|number|version)|version[ ]changed|(?:updated|pulled|pulling)[ ]image|successfully[ ]pulled[ ]image
            |Pulled\b.{0,40}\bimage|image\b.{0,60}\bupdated|image[ ]?[:=][ ]?\S+:v?\d+\.\d+.{0,20}->|canary)
            """
        ),
    ),
    (
        ChangeKind.CONFIG,
        re.compile(
            r"""(?ix)
            \b(?:(?:config(?:uration|map)?|settings?|properties|feature[ _-]?flags?|flags?|secret|polic(?:y|ies)|rules?|routes?|certificates?|credentials?)\b
               .{0,40}\b(?:reload\w*|updat\w+|chang\w+|appl\w+|rotat\w+|enabled|disabled|toggled|set[ ]to|switched)
            |(?:reload(?:ed|ing)?|updat(?:ed|ing)|chang(?:ed|ing)|appl(?:ied|ying)|rotat(?:ed|ing)|enabl(?:ed|ing)|disabl(?:ed|ing)|toggl(?:ed|ing))\b
               .{0,40}\b(?:config(?:uration|map)?|settings?|properties|feature[ _-]?flags?|flag|secret|polic(?:y|ies)|rules|routes|certificates?|credentials?)
            |SIGHUP)\b
            """
        ),
    ),
    (
        ChangeKind.RESTART,
        re.compile(
            r"""(?ix)
            \b(?:restart(?:ed|ing)?\b|SIGTERM\b|shutting[ ]down|shut[ ]down\b|graceful(?:ly)?[ ](?:shutdown|stop\w*)|Started[ ]container|Killing\b.{0,20}container
            |Created[ ]container|(?:server|application|service|process|worker|daemon|app)\b.{0,30}\b(?:started|starting|stopped|stopping|booted|is[ ]up)\b
            |start(?:ed|ing)[ ](?:up\b|server|application|service|worker|daemon|http|gunicorn|uvicorn|nginx|\w+[ ]?(?:service|server|application)\b|.{0,40}\bversion\b|\w+[ ]in[ ][\d.]+[ ]?(?:s|sec|seconds|ms)\b)
            |listening[ ]on|ready[ ]to[ ]accept[ ]connections|database[ ]system[ ]is[ ](?:ready|shut[ ]down)|booting|Stopping[ ]container)
            """
        ),
    ),
)

_NOT_A_CHANGE: Final = re.compile(
    r"(?i)\b(?:would|could|should|will be|if you|please|cannot|can't|failed to|unable to|not|no|never|back-?off|retry)\b.{0,20}"
    r"\b(?:deploy|restart|reload|migrat|scal|updat|upgrad|appl)"
)


def change_kind(message: str) -> ChangeKind | None:
    """The kind of change that a message reports, or None. A failed or advised change is none."""
    text = message[:400]
    for kind, pattern in _KINDS:
        if pattern.search(text):
            return None if _NOT_A_CHANGE.search(text) else kind
    return None


def change_templates(messages: Iterable[tuple[int, str]]) -> dict[int, ChangeKind]:
    """The templates whose message reports a change."""
    found: dict[int, ChangeKind] = {}
    for template_id, message in messages:
        kind = change_kind(message)
        if kind is not None:
            found.setdefault(template_id, kind)
    return found
