"""What an incident shows, in a form that incidents of other programs can be compared by.

Two incidents with one cause seldom share their words: services, versions and layouts of logs differ. What they share is
which faults they look like and who is blamed, the object or file that is blamed, and where which kind of anomaly was
seen (errors that are new at the checkout, a duration that moved at payment), with the name of the number that moved.
The last ones need no suspect to be right.

Signs are kept as a label of the document: `0.97*fault:disk_full>postgres`, separated by spaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from core.domain import Anomaly, Suspect
from core.memory import MemoryDocument
from core.severity import ERROR, WARN
from rag.memory.moved import moved_number
from rag.memory.telling import EVERYWHERE, named_faults

SIGNS: Final = "signs"
"""Label of the signs of an incident, the weightiest first."""
_FAULTS: Final = "faults"
"""Label of memories of earlier versions: faults in order, with the service that is blamed after an `@`."""
_DECAY: Final = 0.75
_MAX_SUSPECTS: Final = 8
_MOST: Final = {"fault": 12, "in": 6, "shown": 16, "moved": 8}
_NAMED: Final = 0.2
"""What a fault that a line names weighs, where the likeliest suspect weighs 1."""
_PLACE: Final = 0.5
_SHOWN: Final = 0.5
_MOVED: Final = 2.0
"""What a number weighs that is ten times the usual: more than a suspect, for a fault that only numbers tell has none,
or wrong ones. On three sets of simulated cases, hit@1 is .798 at 1.5 and .811 at 2, hit@5 .948 at both."""
_NO_TOKEN: Final = re.compile(r"[^\w./-]+")

SignKind = Literal["fault", "in", "shown", "moved"]


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign: a `fault` that the incident looks like, with the service that is blamed; an object or file that is
    blamed (`in`); a kind of anomaly `shown` by a service; a number that `moved`. `weight` is in (0, 2]."""

    kind: SignKind
    name: str
    service: str | None
    weight: float


def kind_of(suspect: Suspect) -> tuple[str, str | None]:
    """Name and service of the sign `fault` that a suspect gives."""
    return _token(suspect.fault_type or ""), _token(suspect.service) if suspect.service else None


def signs(suspects: Sequence[Suspect], anomalies: Iterable[tuple[Anomaly, float]]) -> list[Sign]:
    """The signs of an incident, the weightiest first. `anomalies` come with how much they tell.

    Scores of suspects are probabilities: a suspect weighs the root of its score relative to the best one, so that the
    second of two weighs much where it is nearly as likely, and little where the first one is all but certain.
    """
    found: dict[tuple[SignKind, str, str | None], float] = {}

    def add(kind: SignKind, name: str, service: str | None, weight: float) -> None:
        key = (kind, _token(name), _token(service) if service else None)
        found[key] = max(found.get(key, 0.0), weight)

    likeliest = sorted(suspects, key=lambda suspect: -suspect.score)[:_MAX_SUSPECTS]
    best = likeliest[0].score if likeliest else 0.0
    for suspect in likeliest:
        weight = (suspect.score / best) ** 0.5 if best > 0 else 1.0
        if suspect.fault_type:
            add("fault", suspect.fault_type, suspect.service, weight)
        elif suspect.service:
            add("fault", "", suspect.service, weight)
        if suspect.component:
            add("in", _place(suspect.component), None, _PLACE * weight)
    for anomaly, telling in anomalies:
        for name in named_faults(anomaly):
            add("fault", name, None, (_NAMED / 3 if name in EVERYWHERE else _NAMED) * telling)
        if anomaly.service:
            add("shown", f"{anomaly.kind.value}.{_loudness(anomaly)}", anomaly.service, _SHOWN * (0.2 + telling))
        if moved := moved_number(anomaly):
            add("moved", f"{moved.name}.{moved.direction}", anomaly.service, _MOVED * moved.strength)
    told = [Sign(kind, name, service, weight) for (kind, name, service), weight in found.items() if weight >= 0.005]
    told.sort(key=lambda sign: (-sign.weight, sign.kind, sign.name, sign.service or ""))
    return [sign for kind, most in _MOST.items() for sign in [one for one in told if one.kind == kind][:most]]


def written(told: Sequence[Sign]) -> str:
    """Signs as the text of a label."""
    return " ".join(
        f"{sign.weight:.2f}*{sign.kind}:{sign.name}{'>' + sign.service if sign.service else ''}" for sign in told
    )


def signs_of(document: MemoryDocument) -> list[Sign]:
    """The signs of a document; none where it was not CALI that described it. What is no sign is passed over."""
    if SIGNS in document.labels:
        return [sign for token in document.labels[SIGNS].split() if (sign := _read(token)) is not None]
    found = []
    for rank, fault in enumerate(document.labels.get(_FAULTS, "").split()):
        name, _, service = fault.partition("@")
        found.append(Sign("fault", name, service or None, _DECAY**rank))
    return found


def faults_among(told: Sequence[Sign]) -> list[Sign]:
    """The faults among signs, with whom they blame."""
    return [sign for sign in told if sign.kind == "fault"]


def _read(token: str) -> Sign | None:
    weight, _, rest = token.partition("*")
    kind, _, what = rest.partition(":")
    name, _, service = what.partition(">")
    try:
        value = float(weight)
    except ValueError:
        return None
    for known in get_args(SignKind):
        if kind == known and 0 < value <= 2:
            return Sign(known, name, service or None, value)
    return None


def _place(component: str) -> str:
    """What is blamed, without what is its own: the kind of an object (`configmap/checkout-config` is `configmap`), the
    name of a file."""
    kind, _, rest = component.partition("/")
    if rest and "." not in rest.rsplit("/", 1)[-1] and "/" not in rest:
        return kind.lower()
    return component.rsplit("/", 1)[-1].lower() if "/" in component and kind != "external" else kind.lower()


def _loudness(anomaly: Anomaly) -> str:
    return "error" if anomaly.severity >= ERROR else "warning" if anomaly.severity >= WARN else "quiet"


def _token(text: str) -> str:
    return _NO_TOKEN.sub("-", text)
