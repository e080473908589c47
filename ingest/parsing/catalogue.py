"""The text formats that are known, the more specific first. To add one: put it where nothing above it matches."""

from __future__ import annotations

from typing import Final

from ingest.parsing.formats import CLOCKED, DATED, EPOCHS, ISO, Format

_WRAPPERS: Final = (
    Format(
        "cri", r"{TS} (?P<stream>stdout|stderr) (?P<partial>[FP])(?::[^ ]*)? ?", needs=" std", shapes=ISO, wraps=True
    ),
    Format("kubectl", r"\[pod/(?P<pod>[^/\]]+)/(?P<container>[^\]]+)\] ?", needs="[pod/", wraps=True),
    Format(
        "stern",
        r"(?:[+] )?(?P<pod>[a-z0-9][a-z0-9.-]*-[a-z0-9]{5,10}-[a-z0-9]{5}|[a-z0-9][a-z0-9.-]*-[0-9]{1,3}) "
        r"(?:› )?(?P<container>[a-z0-9][a-z0-9-]*) (?:[|] )?",
        needs="-",
        wraps=True,
        share=0.3,
    ),
    Format(
        "compose", r"(?P<service>[A-Za-z0-9][A-Za-z0-9_.-]*?)(?:[-_][0-9]+)? +\| ?", needs="|", wraps=True, share=0.3
    ),
    # GitHub's runners write seven digits of a second, and `gh run view --log` puts job and step before.
    Format("ci", r"(?P<job>[^\t]+)\t(?P<step>[^\t]+)\t\x{FEFF}?{TS} ?", needs="\t", shapes=ISO, wraps=True),
    Format("ci", r"\x{FEFF}?(?P<base>[0-9-]{10}T[0-9:]{8})\.(?P<frac>[0-9]{7})(?P<zone>Z)(?: |$)", wraps=True),
)

_PROGRAM: Final = r"(?P<program>[A-Za-z0-9_./@-]+(?:\([A-Za-z0-9_./@-]*\))?(?: [0-9.]+)?)"
_HOST: Final = r"(?P<host>[A-Za-z0-9_.:-]+)"

_SYSLOG: Final = (
    Format(
        "syslog5424",
        r"<(?P<pri>[0-9]{1,3})>[1-9][0-9]{0,2} (?:{TS}|-) (?P<host>[^ ]+) (?P<program>[^ ]+) (?P<procid>[^ ]+) "
        r"(?P<msgid>[^ ]+) (?P<data>-|(?:\[(?:[^\]\x22]|\x22(?:[^\x22\\]|\\.)*\x22)*\])+) ?(?:\x{FEFF})?",
        needs="<",
        shapes=ISO,
        wraps=True,
    ),
    # Supercomputers' reliability (RAS) logs: alert tag, epoch, date, node, the local time again, then the message.
    Format(
        "ras",
        r"(?P<alert>[^ ]+) (?P<epoch>[0-9]{10}) [0-9]{4}\.[0-9]{2}\.[0-9]{2} (?P<node>[^ ]+) {TSF} [^ ]+ "
        r"(?P<facility>[A-Z_]+) (?P<component>[A-Z_]+) {UPPER} ",
        needs=".",
        shapes=("dotted",),
    ),
    Format(
        "ras_syslog",
        r"(?P<alert>[^ ]+) (?P<epoch>[0-9]{10}) [0-9]{4}\.[0-9]{2}\.[0-9]{2} (?P<node>[^ ]+) {TS0} (?P<host>[^ ]+) "
        r"(?:(?P<program>[A-Za-z0-9_./@()-]+(?: [A-Za-z0-9_./@()-]+){0,2})(?:\[{PID}\])?: ?)?",
        shapes=("syslog",),
    ),
    Format(
        "syslog",
        rf"(?:<(?P<pri>[0-9]{{1,3}})>)?{{TSF}} {_HOST} {_PROGRAM}(?:\[{{PID}}\])?: ?",
        shapes=("syslog", "syslog_year"),
        wraps=True,
    ),
    Format(
        "syslog",
        rf"(?:<(?P<pri>[0-9]{{1,3}})>)?{{TS}} {_HOST} (?:{_PROGRAM}\[{{PID}}\]|(?P<facility>kernel|systemd)): ?",
        shapes=ISO,
        wraps=True,
    ),
    Format(
        "syslog",
        rf"(?:<(?P<pri>[0-9]{{1,3}})>)?{{TSF}} {_HOST} "
        r"(?:(?P<program>[A-Za-z0-9_./-]+(?: [A-Za-z0-9_./-]+){0,3}?)(?:\[{PID}\]|\[\])?: )?",
        shapes=("syslog", "syslog_year"),
        wraps=True,
    ),
    Format("dmesg", r"\[ *(?P<uptime>[0-9]+\.[0-9]{6})\] ", needs="[", strong=False),
)

_REQUEST: Final = r"(?P<method>[A-Z]{3,10}) (?P<path>[^ \x22]*)(?: [^\x22]*)?"

_SERVERS: Final = (
    Format(
        "access",
        r"(?P<client>[^ ]+) [^ ]+ [^ ]+ \[{TS}\] "
        rf"(?P<rest>\x22{_REQUEST}\x22 (?P<status>[1-5][0-9]{{2}})(?: |$))",
        needs='] "',
        shapes=("clf",),
    ),
    Format(
        "access",
        r"(?:(?P<vhost>[^ ]+:[0-9]+) )?(?P<client>[^ ]+) [^ ]+ [^ ]+ \[{TS}\] "
        rf"(?P<rest>\x22(?:{_REQUEST}|(?:[^\x22\\]|\\.)*)\x22 (?P<status>[1-5][0-9]{{2}})(?: |$))",
        needs='] "',
        shapes=("clf",),
    ),
    Format(
        "access",
        rf"\[{{TS}}\] (?P<rest>\x22{_REQUEST}\x22 (?P<status>[1-5][0-9]{{2}})(?: |$))",
        needs='] "',
        shapes=("clf", "iso"),
    ),
    Format(
        "ceph",
        r"{TS} (?P<logger>[a-z]+[.][A-Za-z0-9_.-]+) [(][^)]*[)] [0-9]+ : (?:cluster|audit) \[{LEVEL}\] ",
        needs=" : ",
        shapes=ISO,
    ),
    Format("bind", r"{TS} (?P<logger>[a-z-]+): {LEVEL}(?: [0-9])?: ", needs=": ", shapes=("clf",)),
    Format(
        "haproxy",
        r"(?P<client>[0-9a-f.:]+:[0-9]+) \[{TS}\] "
        r"(?P<rest>[^ ]+ [^ ]+/[^ ]+ [-+0-9/]+ (?P<status>-1|[1-5][0-9]{2}) )",
        needs="] ",
        shapes=("clf",),
    ),
    Format("haproxy", r"(?P<client>[0-9a-f.:]+:[0-9]+) \[{TS}\] (?P<rest>[^ ]+/[^ ]+: )", needs="] ", shapes=("clf",)),
    Format(
        "envoy",
        r"\[{TS}\] (?P<rest>\x22(?P<method>[A-Z]{3,10}|-) (?P<path>[^ \x22]*)(?: [^\x22]*)?\x22 "
        r"(?P<status>0|[1-5][0-9]{2}) )",
        needs='] "',
        shapes=ISO,
    ),
    Format(
        "iis",
        r"{TS0} (?P<rest>[0-9a-f.:]+ (?P<method>[A-Z]{3,10}) (?P<path>[^ ]+) [^ ]+ [0-9]+ [^ ]+ "
        r"(?P<client>[0-9a-f.:]+) [^ ]+ "
        r"(?:[^ ]+ )?(?P<status>[1-5][0-9]{2}) )",
        needs=" - ",
        shapes=ISO,
    ),
    Format("load_balancer", r"(?P<type>https?|h2|grpcs?|wss?|tls) {TS} (?P<balancer>[^ ]+) ", needs="/", shapes=ISO),
    Format(
        "uwsgi",
        r"\[pid: {PID}\|app: [^\]]*\] (?P<client>[^ ]+) \([^)]*\) \{[^}]*\} \[{TS0}\] ",
        needs="[pid: ",
        shapes=("ctime",),
    ),
    Format(
        "apache_error",
        r"\[{TS}\] \[(?P<level>[A-Za-z0-9_:]+)\] "
        r"(?:\[pid {PID}(?::tid (?P<tid>[0-9]+))?\] )?"
        r"(?:\[(?:remote|client) (?P<client>[^\]]+)\] )?",
        needs="] [",
        shapes=("ctime",),
    ),
    Format(
        "nginx_error",
        r"{TS0} \[(?P<level>[a-z]+)\] {PID}#(?P<tid>[0-9]+): (?:\*(?P<connection>[0-9]+) )?",
        needs="#",
        shapes=("slashes",),
    ),
    Format(
        "postgresql",
        r"{TS}(?: [A-Z]{3,5})? (?:\[{PID}(?:-[0-9]+)?\]:?|\([0-9]+\):?)? ?(?:\[[0-9-]+\] )?[^:\x22]*?"
        r"(?P<level>DEBUG[1-5]?|INFO|NOTICE|WARNING|ERROR|LOG|FATAL|PANIC|DETAIL|HINT|STATEMENT|"
        r"CONTEXT|QUERY|LOCATION):  ",
        needs=":  ",
        shapes=ISO,
    ),
    Format(
        "mysql",
        r"{TS} (?P<thread>[0-9]+) \[(?P<level>System|Note|Warning|Error|ERROR)\] (?:\[(?P<code>MY-[0-9]+)\] )?"
        r"(?:\[(?P<logger>[A-Za-z]+)\] )?",
        needs="] ",
        shapes=ISO,
    ),
    Format("redis", r"{PID}:(?P<role>[XCSM]) {TSF} (?P<mark>[.*#-]) ", shapes=("clf",)),
    Format("redis", r"\[{PID}\] {TSF} (?P<mark>[.*#-]) ", shapes=("clf", "syslog")),
    Format("mongodb", r"{TS} (?P<letter>[DIWEF]) +(?P<component>[A-Z-]+) +{THREAD} ", needs=" [", shapes=ISO),
    Format("etcd", r"{TSF} (?P<letter>[DINWEC]) \| (?P<logger>[A-Za-z0-9/_-]+): ", needs=" | ", shapes=ISO),
    Format(
        "elasticsearch",
        r"\[{TS}\]\[{UPPER} *\]\[(?P<logger>[^\] ]+) *\] ?(?:\[(?P<node>[^\]]*)\])? ?",
        needs="][",
        shapes=ISO,
    ),
    Format(
        "jvm",
        r"\[(?P<uptime>[0-9.,]+m?s)\](?:\[[0-9a-z.]+\])*\[{LEVEL} *\]\[(?P<logger>[^\]]*)\] ",
        needs="][",
        strong=False,
    ),
    Format("jvm", r"\[{TS}\](?:\[[0-9a-z.]+\])*\[{LEVEL} *\]\[(?P<logger>[^\]]*)\] ", needs="][", shapes=ISO),
    Format(
        "node_state",
        r"(?P<id>[0-9]+) (?P<node>[^ ]+) (?P<component>[^ ]+) (?P<state>[^ ]+) (?P<base>1[0-9]{9}|9[0-9]{8}) [0-9]+ ",
        needs=".",
        shapes=("epoch_s",),
    ),
)

_PLATFORMS: Final = (
    Format(
        "klog",
        r"(?:(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*) )?(?P<letter>[IWEFDVT])(?:[0-9]{4})?{TSF} +{PID} "
        r"(?P<logger>[^ \]]+:[0-9]+)\] ",
        needs="] ",
        shapes=("klog",),
    ),
    Format(
        "chromium",
        r"\[(?:{PID}:(?P<tid>[0-9]+):)?{TSF}:{UPPER}:(?P<logger>[^\]]+)\] ",
        needs="/",
        shapes=("month_day_compact",),
    ),
    Format(
        "android",
        r"{TSF} +{PID} +(?P<tid>[0-9]+) (?P<letter>[VDIWEFA]) (?P<logger>[^:]+?) *: ",
        needs=": ",
        shapes=("month_day", "iso"),
    ),
    Format(
        "oslo",
        r"(?:(?P<file>[A-Za-z_][A-Za-z0-9_-]*\.log[^ ]*) )?{TSF} {PID} {UPPER} (?P<logger>{LOGGER}) "
        r"(?:\[(?:(?:None )?(?P<request>req-[^ \]]+)(?: [^\]]*)?|-[ -]*)\] ?)?",
        shapes=ISO,
    ),
    # OpenStack's services under systemd: the journal has the time and the process.
    Format(
        "oslo_journal",
        r"{UPPER} (?P<logger>[a-z_][a-z0-9_]*(?:\.[a-z0-9_]+)+) "
        r"(?:\[(?:(?:None )?(?P<request>req-[^ \]]+)(?: [^\]]*)?|-[ -]*)\] ?)?",
        needs=".",
    ),
    Format(
        "lambda",
        r"\[{UPPER}\]\t{TS}\t(?P<request>[0-9a-f]{8}-[0-9a-f-]{27}|)\t?",
        needs="\t",
        shapes=ISO,
    ),
    Format("lambda", r"{TS}\t(?P<request>[0-9a-f]{8}-[0-9a-f-]{27}|undefined)\t{UPPER}\t", needs="\t", shapes=ISO),
    Format(
        "zap",
        r"{TS}\t{LEVEL}\t(?:(?P<logger>{LOGGER})\t)?(?:(?P<caller>[^\t ]+\.go:[0-9]+)\t)?",
        needs="\t",
        shapes=(*ISO, *EPOCHS),
    ),
    Format("rust", r"{TS} +{UPPER} (?P<logger>[a-z_0-9]+(?:::[A-Za-z_0-9]+)+): ", needs="::", shapes=ISO),
    Format("rust", r"\[{TS} {UPPER} +(?P<logger>[^\]]+)\] ", needs="] ", shapes=ISO),
    Format(
        "rails",
        r"(?P<letter>[DIWEFA]), \[{TSF}(?: #{PID})?\] +(?P<level>[A-Z]+) -- (?P<logger>[^:]*): ",
        needs=" -- ",
        shapes=ISO,
    ),
    Format("cbs", r"{TS}, {LEVEL} +(?P<component>[A-Z][A-Za-z0-9]*) +", needs=", ", shapes=ISO),
    Format("program", r"\[{TS0}\] (?P<program>[A-Za-z0-9_.-]+\.exe)(?: \*64)? - ", needs=".exe", shapes=("month_day",)),
    Format("healthapp", r"{TSF}\|(?P<component>[A-Za-z0-9_]+)\|{PID}\|", needs="|", shapes=("basic", "unpadded")),
    Format(
        "minecraft", r"\[{TS0}\] \[(?P<thread>[^\]/]+)/{UPPER}\](?: \[[^\]]*\])?: ", needs="/", shapes=("time", "clf")
    ),
)

_SOURCE_LINE: Final = r"(?::(?: |[0-9]+(?:: | - |\] ))| - |\] )"

_JAVA: Final = (
    Format(
        "spring",
        r"{TS} +{UPPER} (?:\[(?P<app>[^,\]]*),(?P<trace_id>[0-9a-f]*),(?P<span_id>[0-9a-f]*)[^\]]*\] )?{PID} --- "
        r"(?:\[(?P<app2>[^\]]*)\] )?{THREAD} (?:\[[^\]]*\] )?(?P<logger>[^ ]+) *: ",
        needs=" --- ",
        shapes=CLOCKED,
    ),
    Format(
        "zookeeper",
        r"{TSF} (?:\[[^\]]*\] )?- {UPPER} +\[(?P<thread>(?:[^\[\]]|\[[^\]]*\])*)\] - ",
        needs="] - ",
        shapes=CLOCKED,
    ),
    Format(
        "log4j",
        rf"\[?{{TS}}\]? \[?{{UPPER}}\]? +{{THREAD}} +(?P<logger>{{LOGGER}})(?:\([^)]*\))?{_SOURCE_LINE}",
        needs="[",
        shapes=CLOCKED,
    ),
    Format(
        "log4j",
        r"{TS} {UPPER} +{THREAD} +(?P<logger>[a-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_$<>]+){2,}) ",
        needs="[",
        shapes=CLOCKED,
    ),
    Format("jboss", r"{TS} {UPPER} +\[(?P<logger>[^\]]+)\] \((?P<thread>[^)]*)\) ", needs="] (", shapes=CLOCKED),
    Format(
        "logback",
        r"\[?{TS}\]? {THREAD} \[?{UPPER} *\]? +(?:\[[^\]]*\] )?\[?(?P<logger>{LOGGER})\]?(?: *\[[^\]]*\])?"
        r"(?: *- | *:(?: |[0-9]+ *(?:- |: )))",
        needs="[",
        shapes=CLOCKED,
    ),
    Format("cassandra", r"{UPPER} +{THREAD} {TS} (?P<logger>[^ ]+) - ", needs="] ", shapes=CLOCKED),
    Format(
        "log4j",
        r"{TS} +(?:{PID} )?{UPPER} +(?P<logger>{DOTTED})(?: - |:(?:[0-9]+(?:: | - )| ))",
        needs=".",
        shapes=("short_year", "compact", *CLOCKED),
    ),
    Format(
        "jul",
        r"{TSF} (?P<logger>[a-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_$]+)+)(?: (?P<method>[A-Za-z0-9_$<>]+))?$",
        shapes=("american",),
        opens=True,
    ),
)

_PYTHON: Final = (
    Format("loguru", r"{TS} ?\| ?{UPPER} *\| (?P<logger>[^|]*?) - ", needs="|", shapes=ISO),
    Format("pipes", r"{TS} ?\| ?{UPPER} *\| ?(?:(?P<logger>{LOGGER}) ?\| ?)?", needs="|", shapes=ISO),
    Format("gunicorn", r"\[{TS}\] \[{PID}\] \[{LEVEL}\] ", needs="] [", shapes=ISO),
    Format("airflow", r"\[{TS}\] \{(?P<logger>[^}]*)\} {UPPER} - ", needs="] {", shapes=ISO),
    Format(
        "celery",
        r"\[{TS}: {UPPER}/(?P<thread>[^\]]+)\] (?:(?P<logger>[A-Za-z_][A-Za-z0-9_.]*\[[0-9a-f-]+\]): )?",
        needs="/",
        shapes=ISO,
    ),
    Format("flask", r"\[{TS}\] {UPPER} in (?P<logger>[^:]+): ", needs=" in ", shapes=ISO),
    Format("python", r"{TS} - (?P<logger>[^ ]+) - {LEVEL} - ", needs=" - ", shapes=DATED),
    Format("python", r"{TS} - {LEVEL} - (?:(?P<logger>[A-Za-z_][A-Za-z0-9_.]*) - )?", needs=" - ", shapes=DATED),
    Format("python", r"{TS} \[?{UPPER}\]? +\[(?P<logger>{LOGGER})\] ", shapes=DATED),
    Format(
        "python", r"(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL):(?P<logger>[A-Za-z_][A-Za-z0-9_.]*):", strong=False
    ),
    Format(
        "uvicorn",
        r"INFO: {2,8}(?P<rest>(?P<client>[0-9a-f.:\[\]]+) - \x22(?P<method>[A-Z]{3,10}) "
        r"(?P<path>[^ \x22]*)[^\x22]*\x22 (?P<status>[1-5][0-9]{2}))",
        needs=":  ",
        strong=False,
    ),
    Format("uvicorn", r"(?P<level>INFO|WARNING|ERROR|CRITICAL|DEBUG|TRACE): {2,8}", needs=":  ", strong=False),
    Format(
        "dotnet",
        r"(?P<level>trce|dbug|info|warn|fail|crit): (?P<logger>[A-Za-z_][A-Za-z0-9_.+`]*)\[[0-9]+\]$",
        needs="[",
        opens=True,
    ),
)

_AGE: Final = r"(?P<age>(?:[0-9]+[smhd])+(?: \(x[0-9]+ over (?:[0-9]+[smhd])+\))?|<unknown>|<invalid>)"

_EVENTS: Final = (
    Format(
        "k8s_event",
        rf"\s*(?P<event>Normal|Warning) +(?P<reason>[A-Z][A-Za-z]+) +{_AGE} +(?P<component>[a-z][^ ]*(?:, [^ ]+)?) +",
        needs="  ",
        strong=False,
    ),
    Format(
        "k8s_event",
        rf"(?:(?P<namespace>[a-z0-9-]+) +)?{_AGE} +(?P<event>Normal|Warning) +(?P<reason>[A-Z][A-Za-z]+) +"
        r"(?P<object>[A-Za-z]+/[^ ]+) +",
        needs="  ",
        strong=False,
    ),
)

_OPEN: Final = r"[ \t]{0,8}[\[(<]?"
_CLOSE: Final = r"[\])>]?[ ,:;|-]*[ \t]+"
_AFTER_LEVEL: Final = r"(?:[\])>]:?|[:,|] |[ \t]|$)[ \t]*(?:[-|] )?"

_GENERIC: Final = (
    Format("generic", r"{TS} +\[?{UPPER}\]?:? +(?:[-|] )?", shapes=CLOCKED),  # the most usual one, in one pass
    Format("generic", rf"{_OPEN}{{TS}}{_CLOSE}(?:[-|] )?[\[(<]?{{LEVEL}}{_AFTER_LEVEL}", shapes=CLOCKED),
    Format(
        "generic",
        rf"{_OPEN}{{TS}}{_CLOSE}(?:[\[(][^\])]{{0,80}}[\])] *|[^ \t]{{1,60}}[ \t]+){{1,3}}?[\[(<]?"
        rf"{{UPPER}}{_AFTER_LEVEL}",
        shapes=CLOCKED,
    ),
    Format(
        "generic",
        rf"{_OPEN}{{LEVEL}}[\])>]?[ ,:|-]*[ \t]*[\[(<]?{{TS}}(?:[\])>]:?)?(?:[ \t,:;|]+(?:- )?|$)",
        shapes=CLOCKED,
    ),
    Format("generic", rf"{_OPEN}{{TS}}{_CLOSE}[\[(<]?{{LEVEL}}{_AFTER_LEVEL}", shapes=EPOCHS),
    Format("timestamp", r"\[{TS}\](?P<rest>\[)", shapes=DATED),
    Format("timestamp", rf"{_OPEN}{{TS}}(?:[\])>]:?)?(?:[ \t,:;|]+(?:- )?|$)", shapes=DATED),
    Format("timestamp", r"\[?{TS}\]?[ \t]+", shapes=EPOCHS, share=0.3),
    Format("timestamp", r"[\[(]?{TSF}[\])]?[ \t]+", shapes=("time",), share=0.1),
    Format("level", r"\[{LEVEL}\]:?(?:[ \t]+|$)", strong=False),
    Format("level", r"(?:npm |\*+ |##\[|::|<)?{LEVEL}(?:!|:|\]|::|>:?) ?", strong=False, keeps=True),
)

FORMATS: Final[tuple[Format, ...]] = (
    *_WRAPPERS,
    *_SYSLOG,
    *_PLATFORMS,
    *_SERVERS,
    *_JAVA,
    *_PYTHON,
    *_EVENTS,
    *_GENERIC,
)
"""Every text format, in the order in which they are tried."""
