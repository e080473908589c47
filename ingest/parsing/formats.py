# ruff: noqa: E501
"""The text formats: one regular expression per way to write a header.

An expression describes the header only, up to where the message begins; the message is what follows it. `{TS}` stands
for a timestamp of any shape, with its fraction and zone; `{LEVEL}` for a severity word. Named groups carry the fields:

    base, frac, zone   the timestamp             level, letter, pri, status   what gives the severity
    service            a name that is certain    program, pod, file           names that a service can be derived from
    request            a request id              anything else                goes to attributes under its own name

Formats are tried in the order of this table: the more specific ones come first.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from ingest.parsing.timestamps import BY_NAME, FRACTION, SHAPES, ZONE

_WORDS: Final = (
    "TRACE|DEBUG|DBG|INFORMATION|INFO|INF|NOTICE|WARNING|WARN|WRN|ERROR|ERR|SEVERE|CRITICAL|CRIT|FATAL|FTL|PANIC|ALERT|"
    "EMERGENCY|EMERG|FINEST|FINER|FINE|CONFIG|VERBOSE|FAILURE|AUDIT"
)
_TITLE: Final = "|".join(word.title() for word in _WORDS.split("|"))
LEVEL: Final = f"(?P<level>{_WORDS}|{_TITLE}|{_WORDS.lower()})"
UPPER: Final = f"(?P<level>{_WORDS})"
_LOGGER: Final = r"[A-Za-z_$][A-Za-z0-9_.$/:#<>-]*"


@dataclass(frozen=True)
class Format:
    """A way to write a header.

    `timed`: the header holds a timestamp. `strong`: indented lines after such a record belong to it. `wraps`: what
    follows is itself a log line, and is parsed again. `share`: the format counts only where at least this share of the
    sample has it (for shapes that ordinary text has too). `keeps`: the header stays in the body.
    """

    name: str
    template: str
    shapes: tuple[str, ...] = ()
    wraps: bool = False
    strong: bool = True
    share: float = 0.0
    keeps: bool = False

    @property
    def timed(self) -> bool:
        return "{TS" in self.template or "<base>" in self.template

    def pattern(self, shapes: tuple[str, ...] = ()) -> str:
        """The expression, with the group `head` around the whole header, for some shapes of time (none: all its own)."""
        return _pattern(self, shapes)


@cache
def _pattern(fmt: Format, shapes: tuple[str, ...]) -> str:
    names = shapes or fmt.shapes or tuple(shape.name for shape in SHAPES)
    bases = "|".join(f"(?:{BY_NAME[name].pattern})" for name in names)
    base = f"(?P<base>{bases})"
    text = fmt.template.replace("{TS}", base + FRACTION + ZONE).replace("{TSF}", base + FRACTION)
    text = text.replace("{TS0}", base).replace("{LEVEL}", LEVEL).replace("{UPPER}", UPPER).replace("{LOGGER}", _LOGGER)
    return f"^(?P<head>{text})"


_ISO: Final = ("iso",)
_DATED: Final = tuple(shape.name for shape in SHAPES if not shape.unit and shape.missing != "date")
_CLOCKED: Final = (*_DATED, "time")

FORMATS: Final[tuple[Format, ...]] = (
    # -- wrappers: what follows is a log line of its own
    Format("cri", r"{TS} (?P<stream>stdout|stderr) (?P<partial>[FP])(?::[^ ]*)? ?", _ISO, wraps=True),
    Format("kubectl", r"\[pod/(?P<pod>[^/\]]+)/(?P<container>[^\]]+)\] ", wraps=True),
    Format(
        "stern",
        r"(?P<pod>[a-z0-9][a-z0-9.-]*-[a-z0-9]{5,10}-[a-z0-9]{5}|[a-z0-9][a-z0-9.-]*-[0-9]{1,3}) "
        r"(?P<container>[a-z0-9][a-z0-9-]*) (?:[|] )?",
        wraps=True,
        share=0.3,
    ),
    Format("compose", r"(?P<service>[A-Za-z0-9][A-Za-z0-9_.-]*?)(?:[-_][0-9]+)? +\| ?", wraps=True, share=0.3),
    Format("ci", r"(?P<job>[^\t]+)\t(?P<step>[^\t]+)\t\x{FEFF}?{TS} ", _ISO, wraps=True),
    Format(
        "ci", r"\x{FEFF}?(?P<base>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8})\.(?P<frac>[0-9]{7})(?P<zone>Z) ", wraps=True
    ),
    # -- syslog and what is shaped like it
    Format(
        "syslog5424",
        r"<(?P<pri>[0-9]{1,3})>[1-9][0-9]{0,2} (?:{TS}|-) (?P<host>[^ ]+) (?P<program>[^ ]+) (?P<pid>[^ ]+) "
        r"(?P<msgid>[^ ]+) (?P<data>-|(?:\[(?:[^\]\x22\\]|\\.|\x22(?:[^\x22\\]|\\.)*\x22)*\])+) ?(?:\x{FEFF})?",
        _ISO,
        wraps=True,
    ),
    Format(
        "ras",
        r"(?P<alert>[^ ]+) (?P<epoch>[0-9]{10}) [0-9]{4}\.[0-9]{2}\.[0-9]{2} (?P<node>[^ ]+) {TSF} [^ ]+ "
        r"(?P<facility>[A-Z_]+) (?P<component>[A-Z_]+) {UPPER} ",
        ("dotted",),
    ),
    Format(
        "ras_syslog",
        r"(?P<alert>[^ ]+) (?P<epoch>[0-9]{10}) [0-9]{4}\.[0-9]{2}\.[0-9]{2} (?P<node>[^ ]+) {TS0} (?P<host>[^ ]+) "
        r"(?:(?P<program>[^ :\[][^:\[]{0,80}?)(?:\[(?P<pid>[0-9]+)\])?: ?)?",
        ("syslog",),
    ),
    Format(
        "syslog",
        r"(?:<(?P<pri>[0-9]{1,3})>)?{TS} (?P<host>[A-Za-z0-9_.:-]+) "
        r"(?P<program>[A-Za-z0-9_./@-][A-Za-z0-9_./@-]*(?:\([A-Za-z0-9_./@-]*\))?(?: [0-9.]+)?)"
        r"(?:\[(?P<pid>[0-9]+)\])?: ",
        ("syslog", "syslog_year", "iso"),
        wraps=True,
    ),
    Format(
        "syslog",
        r"(?:<(?P<pri>[0-9]{1,3})>)?{TS0} (?P<host>[A-Za-z0-9_.:-]+) "
        r"(?:(?P<program>[A-Za-z0-9_./-]+(?: [A-Za-z0-9_./-]+){0,3})(?:\[(?P<pid>[0-9]+)\]|\[\]): )?",
        ("syslog",),
        wraps=True,
    ),
    # -- one program's own format
    Format(
        "klog", r"(?P<letter>[IWEFDVT])(?:[0-9]{4})?{TSF} +(?P<pid>[0-9]+) (?P<logger>[^ \]]+:[0-9]+)\] ", ("klog",)
    ),
    Format(
        "android",
        r"{TSF} +(?P<pid>[0-9]+) +(?P<tid>[0-9]+) (?P<letter>[VDIWEFA]) (?P<logger>[^:]+?) *: ",
        ("month_day", "iso"),
    ),
    Format(
        "oslo",
        r"(?:(?P<file>[^ ]*\.log[^ ]*) )?{TSF} (?P<pid>[0-9]+) {UPPER} (?P<logger>{LOGGER}) "
        r"(?:\[(?:(?P<request>req-[^ \]]+)[^\]]*|-)\] ?)?",
        _ISO,
    ),
    Format(
        "access",
        r"(?:(?P<vhost>[^ ]+:[0-9]+) )?(?P<client>[^ ]+) [^ ]+ [^ ]+ \[{TS}\] "
        r"(?P<rest>\x22(?:(?P<method>[A-Z]{3,10}) (?P<path>[^ \x22]*)[^\x22]*|(?:[^\x22\\]|\\.)*)\x22 (?P<status>[1-5][0-9]{2}) )",
        ("clf",),
    ),
    Format(
        "apache_error",
        r"\[{TS}\] \[(?:(?P<module>[A-Za-z0-9_]*):)?(?P<level>[a-z]+[0-9]?)\] (?:\[pid (?P<pid>[0-9]+)(?::tid (?P<tid>[0-9]+))?\] )?"
        r"(?:\[(?:remote|client) (?P<client>[^\]]+)\] )?",
        ("ctime",),
    ),
    Format(
        "nginx_error",
        r"{TS0} \[(?P<level>[a-z]+)\] (?P<pid>[0-9]+)#(?P<tid>[0-9]+): (?:\*(?P<connection>[0-9]+) )?",
        ("slashes",),
    ),
    Format(
        "envoy",
        r"\[{TS}\] (?P<rest>\x22(?P<method>[A-Z]{3,10}|-) (?P<path>[^ \x22]*) ?(?:HTTP/[0-9.]+|-)?\x22 (?P<status>[0-5][0-9]{0,2}) )",
        _ISO,
    ),
    Format(
        "postgresql",
        r"{TS}(?: ?[A-Z]{3,4})? (?:\[(?P<pid>[0-9]+)(?:-[0-9]+)?\]:?|\((?P<pid2>[0-9]+)\):?)? ?(?:\[[0-9-]+\] )?(?:[^ :\x22]+@[^ :]* ?)?(?:[^:\x22]{0,120}?)"
        r"(?P<level>DEBUG[1-5]?|INFO|NOTICE|WARNING|ERROR|LOG|FATAL|PANIC|DETAIL|HINT|STATEMENT|CONTEXT|QUERY|LOCATION):  ",
        ("iso",),
    ),
    Format(
        "mysql",
        r"{TS} (?P<thread>[0-9]+) \[(?P<level>System|Note|Warning|Error|ERROR)\] (?:\[(?P<code>MY-[0-9]+)\] )?(?:\[(?P<logger>[A-Za-z]+)\] )?",
        _ISO,
    ),
    Format("redis", r"(?:\[?(?P<pid>[0-9]+)\]?:?(?P<role>[A-Z])?) {TSF} (?P<mark>[.*#-]) ", ("clf",)),
    Format("redis", r"\[(?P<pid>[0-9]+)\] {TSF} (?P<mark>[.*#-]) ", ("clf",)),
    Format(
        "rails",
        r"(?P<letter>[DIWEFA]), \[{TS}(?: #(?P<pid>[0-9]+))?\] +(?P<level>[A-Z]+) -- (?P<logger>[^:]*): ",
        _ISO,
    ),
    Format("elasticsearch", r"\[{TS}\]\[{UPPER} *\]\[(?P<logger>[^\]]+?) *\] ?(?:\[(?P<node>[^\]]*)\])? ?", _ISO),
    Format("lambda", r"\[{UPPER}\]\t{TS}\t(?P<request>[0-9a-f-]{36}|)\t?", _ISO),
    Format("lambda", r"{TS}\t(?P<request>[0-9a-f-]{36}|undefined)\t{UPPER}\t", _ISO),
    # -- Java: log4j, logback, Spring
    Format(
        "spring",
        r"{TS} +{UPPER} (?:\[(?P<app>[^,\]]*),(?P<trace_id>[0-9a-f]*),(?P<span_id>[0-9a-f]*)[^\]]*\] )?(?P<pid>[0-9]+) --- "
        r"(?:\[(?P<app2>[^\]]*)\] )?\[(?P<thread>[^\]]*)\] (?:\[[^\]]*\] )?(?P<logger>[^ ]+) *: ",
        _CLOCKED,
    ),
    Format(
        "zookeeper",
        r"{TSF} (?:\[[^\]]*\] )?- {UPPER} +\[(?P<thread>.*?)(?::(?P<logger>[A-Za-z0-9_$.]+)@[0-9]+)?\] - ",
        _CLOCKED,
    ),
    Format(
        "log4j",
        r"\[?{TS}\]? \[?{UPPER}\]? +\[(?P<thread>[^\]]*)\] +(?P<logger>{LOGGER})(?:\([^)]*\)|:[0-9]+)?(?:: | - |\] )",
        _CLOCKED,
    ),
    Format(
        "logback",
        r"\[?{TS}\]? \[(?P<thread>[^\]]*)\] \[?{UPPER} *\]? +(?:\[[^\]]*\] )?\[?(?P<logger>{LOGGER})\]?(?: *\[[^\]]*\])?(?::[0-9]+)? *(?:- |: )",
        _CLOCKED,
    ),
    Format(
        "log4j",
        r"{TS} (?:(?P<pid>[0-9]+) )?{UPPER} +(?P<logger>{LOGGER})(?::[0-9]+)?(?:: | - )",
        ("short_year", "compact", *_CLOCKED),
    ),
    Format("cbs", r"{TS}, {LEVEL} +(?P<component>[A-Z][A-Za-z0-9]*) +", _ISO),
    # -- Python
    Format("loguru", r"{TS} ?\| ?{UPPER} *\| (?P<logger>[^|]*?) - ", _ISO),
    Format("pipes", r"{TS} ?\| ?{UPPER} *\| ?(?:(?P<logger>{LOGGER}) ?\| ?)?", _ISO),
    Format("healthapp", r"{TS}\|(?P<component>[A-Za-z0-9_]+)\|(?P<pid>[0-9]+)\|", ("basic",)),
    Format("gunicorn", r"\[{TS}\] \[(?P<pid>[0-9]+)\] \[{LEVEL}\] ", _ISO),
    Format("airflow", r"\[{TS}\] \{(?P<logger>[^}]*)\} {UPPER} - ", _ISO),
    Format(
        "celery", r"\[{TS}: {UPPER}/(?P<thread>[^\]]+)\] (?:(?P<logger>[A-Za-z_][A-Za-z0-9_.]*\[[0-9a-f-]+\]): )?", _ISO
    ),
    Format("flask", r"\[{TS}\] {UPPER} in (?P<logger>[^:]+): ", _ISO),
    Format("python", r"{TS} - (?P<logger>[^ ]+) - {LEVEL} - ", _DATED),
    Format("python", r"{TS} - {LEVEL} - (?:(?P<logger>[A-Za-z_][A-Za-z0-9_.]*) - )?", _DATED),
    Format("python", r"{TS} \[?{UPPER}\]? +\[(?P<logger>{LOGGER})\] ", _DATED),
    Format("python", r"{LEVEL}:(?P<logger>[A-Za-z_][A-Za-z0-9_.]*):", strong=False),
    Format("uvicorn", r"(?P<level>INFO|WARNING|ERROR|CRITICAL|DEBUG|TRACE): {2,8}", strong=False),
    Format("dotnet", r"(?P<level>trce|dbug|info|warn|fail|crit): (?P<logger>[A-Za-z_][A-Za-z0-9_.+`]*)\[[0-9]+\]$"),
    # -- kubectl get events, kubectl describe
    Format(
        "k8s_event",
        r"\s*(?P<event>Normal|Warning) +(?P<reason>[A-Z][A-Za-z]+) +(?P<age>(?:[0-9]+[smhd])+(?: \(x[0-9]+ over (?:[0-9]+[smhd])+\))?|<unknown>|<invalid>) +(?P<component>[a-z][^ ]*(?:, [^ ]+)?) +",
        strong=False,
    ),
    Format(
        "k8s_event",
        r"(?:(?P<namespace>[a-z0-9-]+) +)?(?P<age>(?:[0-9]+[smhd])+|<unknown>|<invalid>) +(?P<event>Normal|Warning) +(?P<reason>[A-Z][A-Za-z]+) +(?P<object>[a-z]+/[^ ]+) +",
        strong=False,
    ),
    # -- anything else with a time or a level
    Format(
        "generic",
        r"[\[(<]?{TS}[\])>]?[ ,:;|-]*[ \t]+(?:- |\| )?[\[(<]?{LEVEL}(?:[\])>]:?|[:,|] |[ \t]|$)[ \t]?(?:- |\| )?",
        _CLOCKED,
    ),
    Format(
        "generic",
        r"[\[(<]?{TS}[\])>]?[ ,:;|-]*[ \t]+(?:[\[(][^\])]{0,80}[\])] *|[^ \t]{1,60}[ \t]+){1,3}?[\[(<]?{UPPER}(?:[\])>]:?|[:,|] |[ \t]|$)[ \t]?(?:- |\| )?",
        _CLOCKED,
    ),
    Format("generic", r"[\[(<]?{LEVEL}[\])>]?[ ,:|-]*[ \t]*[\[(<]?{TS}[\])>]?(?:[ \t,:;|]+(?:- )?|$)", _CLOCKED),
    Format(
        "generic_epoch",
        r"[\[(<]?{TS}[\])>]?[ ,:;|-]*[ \t]+[\[(<]?{LEVEL}(?:[\])>]:?|[:,|] |[ \t]|$)[ \t]?",
        ("epoch_ns", "epoch_us", "epoch_ms", "epoch_s"),
    ),
    Format("timestamp", r"[\[(<]?{TS}[\])>]?(?:[ \t,:;|]+(?:- )?|$)", _DATED),
    Format("timestamp_epoch", r"{TS}[ \t]+", ("epoch_ns", "epoch_us", "epoch_ms", "epoch_s"), share=0.3),
    Format("timestamp_time", r"[\[(]?{TSF}[\])]?[ \t]+", ("time",), share=0.1),
    Format("level", r"\[{LEVEL}\]:?(?:[ \t]+|$)", strong=False),
    Format("level", r"(?:npm |\*+ |##\[|::)?{LEVEL}(?:!|:|\]|::) ", strong=False, keeps=True),
)
"""Every text format, the most specific first."""
