"""How alarming a message is by what it says, in [0, 1]: its severity, and the words that people write when things fail.

Many logs have no severity, and many programs report a disaster as INFO. The words are general English of software
failures; a phrase that says that nothing failed ("0 errors", "failed=0") counts for nothing. It runs on one message per
template, never on each line.
"""

from __future__ import annotations

import re
from typing import Final

from core import severity

ALARMING: Final = 0.5
"""From here on a message says by itself that something failed."""

_HARMLESS: Final = re.compile(
    r"""(?ix)
    \b(?:0|no|zero|without|any)\s+(?:\w+\s+)?(?:errors?|failures?|failed|exceptions?|warnings?|problems?|issues?)\b
    | \b(?:errors?|failures?|failed|fail|exceptions?|warnings?|unavailable|dropped|rejected)\w*["']?\s*[:=]\s*["']?(?:0|none|null|nil|false|<nil>|\[\]|\{\}|""|'')(?![\w.])
    | \berror[_ -]?(?:rate|count|code)s?["']?\s*[:=]?\s*0(?:\.0+)?\b
    | \b(?:non-?fatal|fail-?(?:over|fast|safe)|error-?(?:prone|free|handling|handler|handlers|page|pages|log|prone))\b
    | \b(?:recovered|resolved|fixed|ignored|cleared|succeeded)\b[^.;]{0,40}\b(?:error|failure|failed|alert|alarm)s?\b
    | --- \s PASS\b
    | \bif\b[^.;]{0,40}\b(?:fails?|errors?)\b
    | \bon[-_ ](?:error|failure|fail)\b
    """
)

_CRASH: Final = re.compile(
    r"""(?ix)
    \b(?:OOM-?Killed|out[ ]of[ ]memory|OutOfMemoryError|oom-kill(?:er)?|CrashLoopBackOff|panic(?:ked)?|segfault|segmentation[ ]fault
    |core[ ]dumped|kernel[ ]BUG|fatal|FailedScheduling|FailedMount|FailedCreate\w*|ImagePullBackOff|ErrImagePull|ErrImageNeverPull|BackOff|CreateContainer\w*Error
    |unschedulable|NodeNotReady|evicted|Insufficient|BUILD[ ]FAILED|BUILD[ ]FAILURE|crash(?:ed|ing)?|aborted|unhandled|uncaught
    |no[ ]space[ ]left|too[ ]many[ ]open[ ]files|read-only[ ]file[ ]system|deadlock(?:ed)?|corrupt(?:ed|ion)?
    |exited?[ ]with[ ](?:code|status|exit[ ]code)[ ]?[:=]?[ ]?[1-9]\d*|(?:exit[ ](?:code|status)|returned)[ ]?[:=]?[ ]*(?:[1-9]\d*)
    |SIGKILL|SIGSEGV|SIGABRT|killed|terminated[ ]unexpectedly)\b
    """
)

_FAILURE: Final = re.compile(
    r"""(?ix)
    \b(?:errors?|fail(?:s|ed|ure|ures|ing)?|exceptions?|traceback|refused|denied|forbidden|unauthorized|unreachable|unavailable|timed[ ]?out|time-?out
    |unable[ ]to|cannot|can't|could[ ]not|couldn't|not[ ]found|no[ ]such|no[ ]route|invalid|illegal|expired|rejected|reset[ ]by[ ]peer|broken[ ]pipe|lost[ ]connection|connection[ ](?:lost|closed|reset)
    |disconnected|unhealthy|violat(?:es|ed|ion)|mismatch|missing|undefined|unknown[ ](?:host|database|column|relation)|does[ ]not[ ]exist|exhausted|overflow|exceed(?:s|ed|ing)?|starv(?:ed|ation)|dead[ ]?letter(?:ed)?
    |rollback|rolled[ ]back|dropped|dropping|malformed|unexpected|bad[ ]gateway|internal[ ]server[ ]error|gateway[ ]time-?out|service[ ]unavailable|not[ ]ready|didn't[ ]match|NotReady|Unhealthy|Failed\w*)\b
    | \b\w+(?:Exception|Error|Failure)\b
    | \#\#\[error\] | ^\s*E\s{2,} | ^\s*✗ | ^npm[ ]ERR!
    """
)

_STRAIN: Final = re.compile(
    r"""(?ix)
    \b(?:warn(?:ing)?|slow|delay(?:ed|s)?|retry(?:ing)?|retries|degraded|backlog|lag(?:ging)?|pressure|throttl(?:ed|ing|e)|congest(?:ed|ion)|high[ ](?:cpu|memory|load|latency)
    |backing[ ]off|circuit[ ](?:breaker[ ])?(?:is[ ])?open(?:ed)?|saturat(?:ed|ion)|stale|skipp(?:ed|ing)|waiting|pending|blocked|stuck|leak(?:ed|ing)?|limit[ ]reached|queue[ ]full|low[ ]disk|heap|gc[ ]pause|overloaded|suspect|abandon(?:ed|ing)?)\b
    """
)

_NOT_WORDS: Final = re.compile(
    r"(?:[A-Za-z]+://|(?<![\w:])/)[^\s\"'<>()\[\]{},;]+|--?[a-z][\w-]*|\b[\w-]+\.(?:log|java|py|go|js|ts|cs|rs|html?|css|json|ya?ml|class|jar|so|gz|txt|md)\b"
)


def words(message: str) -> float:
    """How alarming a message is by its words alone: 0.9 a crash, 0.6 a failure, 0.3 a strain, 0 nothing."""
    text = _HARMLESS.sub(" ", _NOT_WORDS.sub(" ", message[:600]))
    if _CRASH.search(text):
        return 0.9
    if _FAILURE.search(text):
        return 0.6
    return 0.3 if _STRAIN.search(text) else 0.0


def alarm(message: str, severity_number: int) -> float:
    """How alarming a message is by severity and words, in [0, 1].

    A severity that the program chose weighs more than words: INFO with a failure word stays below ERROR without one.
    """
    said = words(message)
    if severity_number >= severity.FATAL:
        return 1.0
    if severity_number >= severity.ERROR:
        return 0.8 + 0.15 * (said >= 0.9)
    if severity_number >= severity.WARN:
        return 0.4 + 0.25 * (said >= 0.9) + 0.1 * (0.5 <= said < 0.9)
    if severity_number == severity.UNSPECIFIED:
        return said
    if severity_number < severity.INFO:
        return 0.4 * said
    return 0.75 * said
