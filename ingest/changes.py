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
            \b(?:schema|database|db)[ ]migrat\w+
            | \bmigrat(?:ions?|ing|ed)\b.{0,60}\b(?:appl\w+|complet\w+|start\w+|run\w*|success\w*|version|finished|to)\b
            | \b(?:appl\w+|running|run|executing)\b.{0,40}\bmigrations?\b
            | \b(?:flyway|liquibase|alembic\.runtime\.migration)\b
            | \b(?:alter[ ]table|create[ ]index|drop[ ](?:table|column|index)|add[ ]column)\b
            """
        ),
    ),
    (
        ChangeKind.SCALE,
        re.compile(
            r"""(?ix)
            \bscal(?:ed|ing)[ ](?:up|down|out|in|to|from|replica|deployment)\b
            | \b(?:ScalingReplicaSet|SuccessfulRescale)\b
            | \b(?:replicas|desired[ ]capacity|pool[ ]size)\b.{0,20}(?:\bchanged\b|\bfrom\b|->)
            | \bresiz(?:ed|ing)\b.{0,30}\b(?:to|from)\b
            | \b(?:added|removed|adding|removing)[ ]\d*[ ]?(?:nodes?|replicas?|workers?|instances?)\b
            """
        ),
    ),
    (
        ChangeKind.DEPLOY,
        re.compile(
            r"""(?ix)
            \bdeploy(?:ing|ment)\b.{0,60}\b(?:version|v?\d+\.\d+|revision|release|image|start\w*|complet\w*|succe\w*|roll\w*)
            | \bdeployed\b | \broll(?:ing)?[ ]?(?:out|update)\b | \brollout\b | \bcanary\b
            | \bnew[ ](?:version|release|revision)\b | \bversion[ ]changed\b | \brelease[ ]v?\d+
            | \bupgrad(?:ed|ing)\b.{0,40}\b(?:to|from|version)\b | \bbuild[ ](?:sha|number|version)\b
            | \b(?:updated|pulled|pulling)[ ]image\b | \bPulled\b.{0,40}\bimage\b | \bimage\b.{0,60}\bupdated\b
            """
        ),
    ),
    (
        ChangeKind.CONFIG,
        re.compile(
            r"""(?ix)
            \b(?:config(?:uration|map)?|settings?|properties|feature[ _-]?flags?|flags?|secret|polic(?:y|ies)|rules?
              |routes?|certificates?|credentials?)\b.{0,40}
              \b(?:reload\w*|updat\w+|chang\w+|appl\w+|rotat\w+|enabled|disabled|toggled|set[ ]to|switched|configured)\b
            | \b(?:reload(?:ed|ing)?|updat(?:ed|ing)|chang(?:ed|ing)|appl(?:ied|ying)|rotat(?:ed|ing)|enabl(?:ed|ing)
              |disabl(?:ed|ing)|toggl(?:ed|ing))\b.{0,40}
              \b(?:config(?:uration|map)?|settings?|properties|feature[ _-]?flags?|flag|secret|polic(?:y|ies)|rules
              |routes|certificates?|credentials?)\b
            | \bconfig_reload(?:ed)?\b | \bSIGHUP\b
            """
        ),
    ),
    (
        ChangeKind.RESTART,
        re.compile(
            r"""(?ix)
            \brestart(?:ed|ing)?\b | \bSIGTERM\b | \bshut(?:ting)?[ ]down\b | \bgraceful(?:ly)?[ ](?:shutdown|stop\w*)
            | \b(?:Started|Created|Stopping)[ ]container\b | \bKilling\b.{0,20}\bcontainer\b
            | \b(?:server|application|service|process|worker|daemon|app)\b.{0,30}
              \b(?:started|starting|stopped|stopping|booted|is[ ]up)\b
            | \bstart(?:ed|ing)[ ](?:up|server|application|service|worker|daemon|http|\w+[ ]?(?:service|server))\b
            | \bstart(?:ed|ing)\b.{0,40}\b(?:version\b|in[ ][\d.]+[ ]?(?:s|sec|seconds|ms)\b)
            | \blistening[ ]on\b | \bready[ ]to[ ]accept[ ]connections\b | \bbooting\b
            | \bdatabase[ ]system[ ]is[ ](?:ready|shut[ ]down)\b
            """
        ),
    ),
)

_NOT_A_CHANGE: Final = re.compile(
    r"""(?ix)
    \b(?:would|could|should|will[ ]be|if[ ]you|please|cannot|can't|failed[ ]to|unable[ ]to|not|no|never|back-?off
    |retry)\b.{0,20}\b(?:deploy|restart|reload|migrat|scal|updat|upgrad|appl)
    | \bgit[ ]config\b                              # a build prepares itself
    | \bsession\b.{0,20}\bof[ ]user\b | \bfor[ ]user\b   # a person came, whatever he is called
    | \[debug\b[^\]]*\brelease[ ]\d+                     # what a compiler builds for
    | \balready[ ]present[ ]on[ ]machine\b          # the image that it had
    | \b[A-Z]\w*Warning:[ ]                         # an interpreter's advice about code
    | ^\s*(?:[A-Za-z]*Strategy(?:Type)?|[A-Z]\w*Policy)[ \t]*:   # a field of an object's description
    """
)


def change_kind(message: str) -> ChangeKind | None:
    """The kind of change that a message reports, or None. A failed or advised change is none, nor is a description."""
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
