"""How alarming a message is by what it says, in [0, 1]: its severity, and the words that people write when things fail.

Many logs have no severity, and many programs report a disaster as INFO. The words are general English of software
failures; a phrase that says that nothing failed ("0 errors", "failed=0") counts for nothing. It runs on one message per
template, never on each line.
"""

from __future__ import annotations

import re
from typing import Final

from core import severity

SECONDS: Final = 0.59
"""A delay of seconds weighs as much as a failure, but is none."""

ALARMING: Final = 0.5
"""From here on a message says by itself that something failed."""

_HARMLESS: Final = re.compile(
    r"""(?ix)
    # nothing failed, said in words or as a value
    \b(?:0|no|zero|without|any)\s+(?:\w+\s+)?
      (?:errors?|failures?|failed|exceptions?|warnings?|problems?|issues?|unavailable|misscheduled)\b
    | \b[\w.-]+["']?\s*[:=]\s*["']?(?:0|0\.0+|none|null|nil|false|no|ok|<nil>|<none>|\[\]|\{\}|""|'')(?![\w.])
    | ---\s+(?:PASS|SKIP)\b | \bno_?errors?\b
    | \b(?:number|count|total)\s+of\s+(?:\w+\s+)?(?:errors?|failures?|warnings?)\b(?![^\n\d]{0,20}[1-9])
    # a setting, and how long a test took
    | \btime-?outs?["']?\s*[:=]\s*["']?\d+\w* | \btime[ ]elapsed:?\s*[\d.]+\s*\w+
    # source code, as diffs and builds print it
    | \)\s*throws\s+[\w.]+(?:\s*,\s*[\w.]+)* | @(?:throws|exception)\s+\S+ | \bcatch\s*\([^)]*\)
    | \bthrow\s+new\s+[\w.]+ | \bnew\s+[\w.]+(?:exception|error)\s*\(
    # words that name a thing, a limit or a policy
    | \b(?:non-?fatal|fail-?(?:over|fast|safe)|error-?(?:prone|free|handl(?:ing|ers?)|pages?|logs?|codes?|rates?))\b
    | \b(?:back-?off|retry|error|memory|restart)[ ](?:limits?|polic(?:y|ies)|budgets?|counts?|threshold|interval)\b
    | \bmax(?:imum)?[ ]?\w*[ ](?:unavailable|retries|lag|delay)\b
    # what would happen, or no longer happens
    | \b(?:recovered|resolved|fixed|ignored|cleared|succeeded)\b[^.;]{0,40}\b(?:error|failure|failed|alert|alarm)s?\b
    | \bif\b[^.;]{0,40}\b(?:fail(?:s|ed)?|errors?)\b
    | \bon[-_ ](?:error|failure|fail)\b
    """
)

_CRASH: Final = re.compile(
    r"""(?ix)
    \b(?:OOM-?Killed|out[ ]of[ ]memory|OutOfMemoryError|oom-kill(?:er)?|panic(?:ked)?|segfault|segmentation[ ]fault
    |core[ ]dumped|kernel[ ]BUG|fatal|crash(?:ed|ing)?|CrashLoopBackOff|aborted|unhandled|uncaught|corrupt(?:ed|ion)?
    |Failed(?:Scheduling|Mount|AttachVolume|Create\w*)|unschedulable|NodeNotReady|evicted|Insufficient
    |ImagePullBackOff|Err(?:ImagePull|ImageNeverPull)|back-?off[ ](?:restarting|pulling)|CreateContainer\w*Error
    |BUILD[ ]FAIL(?:ED|URE)|no[ ]space[ ]left|too[ ]many[ ]open[ ]files|read-only[ ]file[ ]system|deadlock(?:ed)?
    |exit(?:ed|s)?[ ](?:with[ ])?(?:non-?zero|(?:exit[ ])?(?:code|status)[ ]*[:=]?[ ]*[1-9]\d*)
    |returned[ ](?:exit[ ])?(?:code|status)[ ]*[:=]?[ ]*[1-9]\d*
    |SIGKILL|SIGSEGV|SIGABRT|killed|terminated[ ]unexpectedly)\b
    """
)

_FAILURE: Final = re.compile(
    r"""(?ix)
    \b(?:errors?|fail(?:s|ed|ure|ures|ing)?|Failed\w*|exceptions?|traceback|refused|denied|forbidden|unauthori[sz]ed
    |unreachable|unavailable|timed[ ]?out|time-?outs?|unable[ ]to|cannot|can't|could[ ]not|couldn't|not[ ]found
    |no[ ](?:such|route|space|available|server|leader|quorum|primary)|(?:is|are|went|link)[ ]down
    |invalid|illegal|expired|rejected|reset[ ]by[ ]peer|broken[ ]pipe
    |unusable|\*?lost\*?[ ](?:node|host|worker|executor|heartbeat|contact|quorum)|blacklist(?:ed|ing)
    |lost[ ]connection|connection[ ](?:lost|closed|reset)|disconnected|unhealthy|violat(?:es|ed|ion)|mismatch|missing
    |undefined|unknown[ ](?:host|database|column|relation)|does[ ](?:not|n't)[ ]exist|exhausted|overflow
    |exceed(?:s|ed|ing)?|starv(?:ed|ation)|dead[ ]?letter(?:ed)?|rollback|rolled[ ]back|dropped|dropping|malformed
    |unexpected|bad[ ]gateway|internal[ ]server[ ]error|not[ ]?ready|did(?:[ ]not|n't)[ ]match|unresolv(?:ed|able)
    |nan|non-?finite|clock[ ](?:wrong|was[ ]stepped|throttled)|overheat(?:s|ed|ing)?)\b
    | \b\w+(?:Exception|Error|Failure)\b
    | \#\#\[error\] | ^\s*E\s{2,} | ^\s*✗ | ^npm[ ]ERR!
    """
)

_STRAIN: Final = re.compile(
    r"""(?ix)
    \b(?:warn(?:ings?)?|slow(?:er|ly)?|delay(?:ed|s)?|retry(?:ing)?|retries|degraded|backlog|lag(?:ging)?|pressure
    |throttl(?:ed|ing|e)|congest(?:ed|ion)|high[ ](?:cpu|memory|load|latency)|backing[ ]off|saturat(?:ed|ion)|stale
    |circuit[ ](?:breaker[ ])?(?:is[ ])?open(?:ed)?|skipp(?:ed|ing)|waiting|pending|blocked|stuck|leak(?:ed|ing)?
    |(?:limit|threshold)[ ]reached|queue[ ]full|low[ ](?:disk|memory)|gc[ ]pause
    |overloaded|suspect|abandon(?:ed|ing)?)\b
    """
)

_NOTICE: Final = re.compile(
    r"(?i)\b(?:deprecat(?:ed|es|ion)|will be (?:removed|ignored|required) (?:in|from)|end[ -]of[ -]life)\b"
)
"""What tells of a later version: today it works."""

_ASKED_IN_VAIN: Final = re.compile(
    r"""(?ix)
    \b(?:open|stat|access)\(\)[ ].*\bfailed[ ]\((?:2|13|20):.*\bclient:    # nginx: no such file
    | \bclient[ :].*\b(?:File[ ]does[ ]not[ ]exist|script[ ]not[ ]found|intended[ ]to[ ]send[ ]too[ ]large[ ]body)
    | \b(?:directory[ ]index[ ]of|access[ ]forbidden[ ]by[ ]rule|client[ ]sent[ ]invalid)\b.*\bclient:
    """
)
"""A web server's error about what a client asked for, as status 404 or 403 is: it says more of the client."""

_SLOW: Final = re.compile(
    r"""(?ix)
    \b(?:duration|took|elapsed|latency|taking|completed[ ]in|rendered[ ]in|after|slow)\b[^\d\n]{0,20}
      (?:\d{4,}(?:\.\d+)?[ ]?(?:ms|milli\w*)\b | (?:[2-9]|\d{2,})(?:\.\d+)?[ ]?(?:s|sec|seconds?)\b)
    """
)
"""A message that itself says that something took seconds: people notice a delay of one (Nielsen 1993, chapter 5)."""

_NOT_WORDS: Final = re.compile(
    r"""(?x)
    (?:[A-Za-z]+://|(?:^|(?<=[\s=("'\[]))/)[^\s"'<>()\[\]{},;]+           # addresses and paths
    | \b[\w-]+(?:\.[\w-]+)+/[\w.-]+(?::\w+)?                               # qualified names (a.b.io/name)
    | (?:(?<=\s)|^)--?[a-z][\w-]*                                          # options of commands
    | \b[\w-]+\.(?:log|java|py|go|js|ts|cs|rs|html?|css|json|ya?ml|class|jar|so|gz|txt|md)\b
    """
)


_REFUSED_REQUEST: Final = re.compile(r'\b[A-Z]{3,7} [^ "]+ HTTP/\d(?:\.\d)?"? +4\d\d\b')


def is_refused_request(message: str) -> bool:
    """Whether a message is an access log's line of a request answered with a status of the client's fault."""
    return _REFUSED_REQUEST.search(message[:600]) is not None


_NOT_THERE: Final = re.compile(r'\b[A-Z]{3,7} [^ "]+(?: HTTP/\d(?:\.\d)?)?"? +404\b')


def is_asked_in_vain(message: str) -> bool:
    """Whether a message tells of a request for what is not there, as scanners and crawlers send all day."""
    return _NOT_THERE.search(message[:600]) is not None or _ASKED_IN_VAIN.search(message[:600]) is not None


def words(message: str) -> float:
    """How alarming a message is by its words alone: 0.9 a crash, 0.6 a failure, as much for seconds of delay,
    0.3 a strain, 0 nothing."""
    text = _HARMLESS.sub(" ", _NOT_WORDS.sub(" ", message[:600]))
    if _CRASH.search(text):
        return 0.9
    if _FAILURE.search(text):
        return 0.6
    if _SLOW.search(text):
        return SECONDS
    return 0.3 if _STRAIN.search(text) else 0.0


def alarm(message: str, severity_number: int) -> float:
    """How alarming a message is by severity and words, in [0, 1].

    A severity that the program chose weighs more than words: INFO with a failure word stays below ERROR without one.
    """
    said = words(message)
    if severity_number <= severity.ERROR + 3 and _ASKED_IN_VAIN.search(message[:600]):
        return 0.3
    if severity_number >= severity.FATAL:
        return 1.0
    if severity_number >= severity.ERROR:
        return 0.8 + 0.15 * (said >= 0.9)
    if severity_number >= severity.WARN:
        if said < ALARMING and _NOTICE.search(message[:600]):
            return 0.3
        return 0.4 + 0.25 * (said >= 0.9) + 0.1 * (0.5 <= said < 0.9)
    if severity_number == severity.UNSPECIFIED:
        return said
    if severity_number < severity.INFO:
        return 0.4 * said
    return 0.75 * said
