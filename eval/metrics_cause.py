"""Is the cause among the first suspects? Accuracy at k and mean reciprocal rank, per attribute of the labelled cause.

accuracy@k: share of labelled causes for which one of the first k suspects names the labelled value (AC@k of Chen et
al., CauseInfer, INFOCOM 2014; as RCAEval, Pham et al. 2024, uses it). A suspect that names no value takes its place
in the list and is a miss. MRR: mean of 1 / rank of the first suspect that is right, 0 where none is.

What counts as the same value:

- service: case, `_` against `-`, and what follows a `/` do not matter; the hashes of a Kubernetes pod name are dropped
  (`checkout-7d9f8b6c5d-x2k4j` is `checkout`);
- component: one path is the end of the other, from a `/` on (`store.py`, `db/store.py`, `inventory/db/store.py`);
  dotted modules and classes are paths (`inventory.db.store`); extensions and case do not matter;
- function: one qualified name is the end of the other, from a `.` on (`replace`, `Store.replace`); `()` is dropped;
- fault_type, category: case, and `-` or spaces against `_`, do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

# The alphabet of Kubernetes' generated names has no vowels and no 0, 1, 3 (k8s.io/apimachinery/pkg/util/rand).
_POD: Final = re.compile(r"^(.+?)-[bcdfghjklmnpqrstvwxz2456789]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}$")
_ENDING: Final = re.compile(r"\.(?:[a-z]{1,5}|c\+\+)$")


def normal_service(value: str) -> str:
    """A service name in the form that is compared."""
    name = value.strip().lower().split("/", 1)[0].replace("_", "-")
    pod = _POD.match(name)
    return pod.group(1) if pod else name


def normal_word(value: str) -> str:
    """A fault type or category in the form that is compared."""
    return re.sub(r"[\s\-]+", "_", value.strip().lower())


def path_parts(value: str) -> tuple[str, ...]:
    """A path, module, class or `kind/name` as lower-case parts without an extension."""
    text = value.strip().replace("\\", "/").lower().rstrip("/")
    if "/" in text or (text.count(".") == 1 and _ENDING.search(text) and len(text.rsplit(".", 1)[1]) <= 4):
        text = _ENDING.sub("", text)
    else:
        text = text.replace(".", "/")
    return tuple(part for part in text.split("/") if part and part != ".")


def function_parts(value: str) -> tuple[str, ...]:
    """A qualified function name as lower-case parts."""
    text = value.strip().lower().split("(", 1)[0].replace("::", ".").replace("#", ".").replace("/", ".")
    return tuple(part for part in text.split(".") if part)


def _one_ends_the_other(a: Sequence[str], b: Sequence[str]) -> bool:
    short, long = (a, b) if len(a) <= len(b) else (b, a)
    return bool(short) and tuple(long[len(long) - len(short) :]) == tuple(short)


def same_service(predicted: str, labelled: str) -> bool:
    """Whether two names mean one service."""
    return normal_service(predicted) == normal_service(labelled)


def same_component(predicted: str, labelled: str) -> bool:
    """Whether two paths mean one file or object."""
    return _one_ends_the_other(path_parts(predicted), path_parts(labelled))


def same_function(predicted: str, labelled: str) -> bool:
    """Whether two names mean one function."""
    return _one_ends_the_other(function_parts(predicted), function_parts(labelled))


def same_word(predicted: str, labelled: str) -> bool:
    """Whether two labels of a vocabulary are the same."""
    return normal_word(predicted) == normal_word(labelled)


MATCHERS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "service": same_service,
    "component": same_component,
    "function": same_function,
    "fault_type": same_word,
    "category": same_word,
}


def rank_of(attribute: str, suspects: Sequence[str | None], labelled: Sequence[str]) -> int:
    """1-based rank of the first suspect whose value is one of the labelled ones; 0 where none is."""
    same = MATCHERS[attribute]
    for rank, value in enumerate(suspects, 1):
        if value and any(same(value, label) for label in labelled):
            return rank
    return 0
