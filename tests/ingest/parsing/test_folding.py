"""Which lines make one record: traces of several languages, with headers and without."""

from __future__ import annotations

from datetime import UTC, datetime

import orjson
import polars as pl
import pytest

from core.batch import LINES
from ingest.parsing import folding
from ingest.parsing.parser import Parser

WRITTEN = datetime(2024, 6, 20, 12, 0, tzinfo=UTC)


def frame(lines: list[str], first: int = 1) -> pl.DataFrame:
    return pl.DataFrame({"position": range(first, first + len(lines)), "line": lines}, schema=LINES)


def parse(lines: list[str], sizes: int | None = None) -> tuple[Parser, pl.DataFrame]:
    parser = Parser("app.log", modified_at=WRITTEN, observed_at=WRITTEN)
    step = sizes or max(len(lines), 1)
    parts = [parser.parse(frame(lines[at : at + step], at + 1)) for at in range(0, len(lines), step)]
    return parser, pl.concat([*parts, parser.finish()])


JAVA = """\
2024-06-12 10:00:01,123 ERROR [main] com.shop.Cart: no stock
java.lang.IllegalStateException: no stock
\tat com.shop.Cart.add(Cart.java:42)
Caused by: java.sql.SQLException: timeout
\tat com.shop.Db.q(Db.java:9)
\tSuppressed: java.io.IOException: y
\t\tat d.e(F.java:2)
\t... 2 more
2024-06-12 10:00:02,123 INFO [main] com.shop.Cart: next
Exception in thread "main" java.lang.RuntimeException: x
\tat a.B.c(B.java:1)
2024-06-12 10:00:03,123 INFO [main] com.shop.Cart: next
Killed"""

SPRING = """\
2024-06-12T10:00:01.123Z ERROR 1 --- [shop] [exec-1] c.s.Cart : Servlet.service() threw an exception

java.lang.IllegalStateException: no stock
\tat com.shop.Cart.add(Cart.java:42)
Caused by: java.sql.SQLException: timeout
\tat com.shop.Db.q(Db.java:9)
\t... 40 common frames omitted

2024-06-12T10:00:02.123Z  INFO 1 --- [shop] [exec-1] c.s.Cart : next"""

PYTHON = """\
2024-06-12 10:00:01,123 ERROR app.db: failed
Traceback (most recent call last):
  File "/a.py", line 1, in f
    x()
KeyError: 'a'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/b.py", line 2, in g
    y()
    ~^^
ValueError: bad
2024-06-12 10:00:02,123 INFO app.db: ok"""

PYTHON_TAG_ON_EACH_LINE = """\
2024-06-12 10:00:01.123 2931 INFO compute.manager [req-1 u t - - -] [instance: 5f1c] Starting
2024-06-12 10:00:02.123 2931 ERROR compute.manager [req-1 u t - - -] [instance: 5f1c] Instance failed to spawn
2024-06-12 10:00:02.123 2931 ERROR compute.manager [instance: 5f1c] Traceback (most recent call last):
2024-06-12 10:00:02.123 2931 ERROR compute.manager [instance: 5f1c]   File "/srv/compute/manager.py", line 22, in build
2024-06-12 10:00:02.123 2931 ERROR compute.manager [instance: 5f1c]     yield resources
2024-06-12 10:00:02.123 2931 ERROR compute.manager [instance: 5f1c] AttributeError: no attribute 'format_dom'
2024-06-12 10:00:02.123 2931 ERROR compute.manager [instance: 77aa] Instance failed to spawn, too
2024-06-12 10:00:03.123 2931 INFO compute.manager [req-1 u t - - -] [instance: 5f1c] Terminating"""

PYTHON_TRACE_AT_TRACE_LEVEL = """\
2024-06-12 10:00:02.123 2931 ERROR compute.manager [req-1 u t - - -] Instance failed to spawn
2024-06-12 10:00:02.123 2931 TRACE compute.manager Traceback (most recent call last):
2024-06-12 10:00:02.123 2931 TRACE compute.manager   File "/srv/compute/manager.py", line 22, in build
2024-06-12 10:00:02.123 2931 TRACE compute.manager     yield resources
2024-06-12 10:00:02.123 2931 TRACE compute.manager AttributeError: no attribute 'format_dom'
2024-06-12 10:00:02.123 2931 TRACE compute.manager entering build again"""

PYTHON_MESSAGE_OF_SEVERAL_LINES = """\
2024-06-12 10:00:02.123 2931 ERROR images [req-1 u t - - -] [disk: d7] Conversion failed
2024-06-12 10:00:02.123 2931 ERROR images [disk: d7] Traceback (most recent call last):
2024-06-12 10:00:02.123 2931 ERROR images [disk: d7]   File "/srv/compute/images.py", line 22, in convert
2024-06-12 10:00:02.123 2931 ERROR images [disk: d7]     run(command)
2024-06-12 10:00:02.123 2931 ERROR images [disk: d7] compute.CommandError: Unexpected error
2024-06-12 10:00:02.123 2931 ERROR images [disk: d7] Command: convert -f raw a b
2024-06-12 10:00:02.123 2931 ERROR images [disk: d7] Exit code: 1
2024-06-12 10:00:02.123 2931 ERROR images [disk: d7] Stderr: 'convert: quota exceeded'
2024-06-12 10:00:02.123 2931 ERROR images [disk: d7]
2024-06-12 10:00:02.123 2931 ERROR images [disk: d7] During handling of the above exception, another exception occurred:
2024-06-12 10:00:02.123 2931 ERROR images [disk: d7]
2024-06-12 10:00:02.123 2931 ERROR images [disk: d7] Traceback (most recent call last):
2024-06-12 10:00:02.123 2931 ERROR images [disk: d7]   File "/srv/compute/manager.py", line 9, in spawn
2024-06-12 10:00:02.123 2931 ERROR images [disk: d7]     images.convert()
2024-06-12 10:00:02.123 2931 ERROR images [disk: d7] compute.BuildError: build failed
2024-06-12 10:00:02.123 2931 ERROR images [req-2 u t - - -] [disk: d8] Conversion failed
2024-06-12 10:00:04.000 2931 INFO compute.images [req-3 u t - - -] Done"""

PYTHON_WITHOUT_HEADERS = """\
starting
Traceback (most recent call last):
  File "/a.py", line 1, in f
    x()
KeyError: 'a'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/b.py", line 2, in g
    y()
ValueError: bad
done
more"""

PYTHON_HEADER_ON_EACH_LINE = """\
2024-06-12 10:00:00.551 41 INFO shop.sync [req-0000a1 - -] fine
2024-06-12 10:00:01.551 41 ERROR shop.sync [req-0000b2 - -] failed
2024-06-12 10:00:01.551 41 ERROR shop.sync Traceback (most recent call last):
2024-06-12 10:00:01.551 41 ERROR shop.sync   File "/srv/sync.py", line 88, in run
2024-06-12 10:00:01.551 41 ERROR shop.sync     self.replace(rows)
2024-06-12 10:00:01.551 41 ERROR shop.sync OperationalError: lost
2024-06-12 10:00:02.551 41 INFO shop.sync [req-0000a3 - -] fine"""

GO = """\
2024/06/12 10:00:01 starting
panic: runtime error: invalid memory address
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x47]

goroutine 1 [running]:
main.(*T).foo(0x0, {0x1, 0x2})
\t/app/main.go:12 +0x1d
created by net/http.(*Server).Serve in goroutine 1
\t/usr/go/http.go:1 +0x1

goroutine 2 [select]:
x.y(...)
\t/a.go:1
exit status 2
restarting"""

NODE = """\
Server up
/app/index.js:10
    throw new Error('boom');
    ^

Error: boom
    at Object.<anonymous> (/app/index.js:10:11)
    at Module._compile (node:internal:1:2) {
  code: 'ECONN'
}

Node.js v18.1.0
bye"""

NODE_BESIDE_JSON = """\
{"level":30,"msg":"a"}
TypeError: Cannot read properties of undefined (reading 'x')
    at foo (/app/a.js:1:2)
    at async bar (/app/b.js:3:4)
** headers health -> undefined
{"level":30,"msg":"b"}"""

DOTNET = """\
fail: Microsoft.AspNetCore.Server.Kestrel[13]
      Connection id "0H": An unhandled exception was thrown.
      System.InvalidOperationException: bad
       ---> System.Exception: inner
         at A.B.C() in /src/C.cs:line 5
         --- End of inner exception stack trace ---
         at D.E.F()
info: Microsoft.Hosting.Lifetime[0]
      Now listening on: http://localhost:5000
Unhandled exception. System.Exception: x
 ---> System.ArgumentException: y
   at P.Main() in /src/P.cs:line 3
   --- End of inner exception stack trace ---
   at P.Main2()
end"""

RUST = """\
hello
thread 'main' panicked at src/main.rs:4:5:
index out of bounds: the len is 3 but the index is 99
stack backtrace:
   0: rust_begin_unwind
             at /rustc/lib.rs:1:2
   1: core::panicking::panic_fmt
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
after"""

RUBY = """\
I, [2024-06-12T10:00:01.123456 #123]  INFO -- : ok
app.rb:3:in `foo': undefined method `x' for nil (NoMethodError)
\tfrom app.rb:7:in `bar'
\tfrom app.rb:9:in `<main>'
done"""

PHP = """\
[12-Jun-2024 10:00:01 UTC] PHP Fatal error:  Uncaught Exception: x in /a.php:3
Stack trace:
#0 /b.php(1): foo()
#1 {main}
  thrown in /a.php on line 3
[12-Jun-2024 10:00:02 UTC] PHP Warning:  y
#1 pulling image"""

POSTGRESQL = """\
2024-06-12 10:00:01.123 UTC [123] ERROR:  duplicate key
2024-06-12 10:00:01.123 UTC [123] DETAIL:  Key (id)=(1) already exists.
2024-06-12 10:00:01.123 UTC [123] STATEMENT:  INSERT INTO x
\tVALUES (1)
2024-06-12 10:00:02.123 UTC [123] LOG:  checkpoint"""

JAVA_UTIL_LOGGING = """\
Jun 12, 2024 10:00:01 AM org.apache.catalina.core.StandardService startInternal
INFO: Starting service [Tomcat]
Jun 12, 2024 10:00:02 AM org.apache.catalina.core.StandardService startInternal
SEVERE: Failed
java.lang.Exception: x
\tat a.b(C.java:1)"""

SYSLOG = """\
Jun 12 10:00:01 host app[1]: Traceback (most recent call last):
Jun 12 10:00:01 host app[1]:   File "/a.py", line 1, in f
Jun 12 10:00:01 host app[1]:     x()
Jun 12 10:00:01 host app[1]: KeyError: 'a'
Jun 12 10:00:01 host app[1]: next message
Jun 12 10:00:02 host app[2]: java.lang.Exception: x
Jun 12 10:00:02 host app[2]: \tat a.b(C.java:1)
Jun 12 10:00:03 host app[2]: fine"""

CRI = """\
2024-06-12T10:00:01.1Z stdout P {"level":"er
2024-06-12T10:00:01.1Z stdout F ror","msg":"boom"}
2024-06-12T10:00:02.1Z stderr F Traceback (most recent call last):
2024-06-12T10:00:02.2Z stderr F   File "/a.py", line 1, in f
2024-06-12T10:00:02.3Z stderr F     x()
2024-06-12T10:00:02.4Z stderr F KeyError: 'a'
2024-06-12T10:00:03.1Z stdout F hello
2024-06-12T10:00:03.1Z stdout F   indented hello"""

PLAIN = """\
Name:  x
Labels: a=b
        c=d
  Limits:
    cpu: 3

Next: y
at the end"""

CASES = {
    "java": (JAVA, [8, 1, 2, 1, 1], [17, 9, 17, 9, 0]),
    "spring": (SPRING, [8, 1], [17, 9]),
    "python": (PYTHON, [13, 1], [17, 9]),
    "python_without_headers": (PYTHON_WITHOUT_HEADERS, [1, 11, 1, 1], [0, 17, 0, 0]),
    "python_header_on_each_line": (PYTHON_HEADER_ON_EACH_LINE, [1, 5, 1], [9, 17, 9]),
    "python_tag_on_each_line": (PYTHON_TAG_ON_EACH_LINE, [1, 5, 1, 1], [9, 17, 17, 9]),
    "python_message_of_several_lines": (PYTHON_MESSAGE_OF_SEVERAL_LINES, [15, 1, 1], [17, 17, 9]),
    "python_trace_at_trace_level": (PYTHON_TRACE_AT_TRACE_LEVEL, [5, 1], [17, 1]),
    "go": (GO, [1, 13, 1], [0, 21, 0]),
    "node": (NODE, [1, 11, 1], [0, 17, 0]),
    "node_beside_json": (NODE_BESIDE_JSON, [1, 3, 1, 1], [9, 17, 0, 9]),
    "dotnet": (DOTNET, [7, 2, 5, 1], [17, 9, 17, 0]),
    "rust": (RUST, [1, 7, 1], [0, 21, 0]),
    "ruby": (RUBY, [1, 3, 1], [9, 17, 0]),
    "php": (PHP, [5, 1, 1], [21, 13, 0]),
    "postgresql": (POSTGRESQL, [4, 1], [17, 9]),
    "java_util_logging": (JAVA_UTIL_LOGGING, [2, 4], [9, 17]),
    "syslog": (SYSLOG, [4, 1, 2, 1], [17, 0, 17, 0]),
    "cri": (CRI, [2, 4, 1, 1], [17, 17, 0, 0]),
    "plain": (PLAIN, [1, 1, 1, 1, 2, 1, 1], [0] * 7),
}


@pytest.mark.parametrize("name", CASES)
def test_lines_of_one_record_are_folded(name: str) -> None:
    text, counts, severities = CASES[name]
    lines = text.split("\n")
    parser, records = parse(lines)
    assert records["line_count"].to_list() == counts
    assert records["severity"].to_list() == severities
    assert records["position"].to_list() == [1 + sum(counts[:at]) for at in range(len(counts))]
    assert parser.parsed + parser.unparsed == len(lines)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("size", [1, 3])
def test_records_do_not_depend_on_how_the_lines_come(name: str, size: int) -> None:
    lines = CASES[name][0].split("\n")
    whole, pieces = parse(lines), parse(lines, size)
    assert pieces[1].select("position", "line_count").equals(whole[1].select("position", "line_count"))
    assert pieces[0].parsed + pieces[0].unparsed == len(lines)


def test_a_folded_body_is_the_message_and_the_lines_below_it() -> None:
    records = parse(PYTHON_HEADER_ON_EACH_LINE.split("\n"))[1]
    assert records["body"][1] == (
        "failed\n"
        "Traceback (most recent call last):\n"
        '  File "/srv/sync.py", line 88, in run\n'
        "    self.replace(rows)\n"
        "OperationalError: lost"
    )
    assert records["trace_id"][1] == "req-0000b2"


def test_a_trace_is_folded_where_the_collector_stamps_each_line() -> None:
    """The envelope's time wins over the header's, and moves by microseconds from line to line."""
    lines = [
        orjson.dumps({"timestamp": f"2024-06-12T10:00:02.12300{at}Z", "service": "a/b", "message": line}).decode()
        for at, line in enumerate(PYTHON_MESSAGE_OF_SEVERAL_LINES.split("\n")[:8])
    ]
    later = lines[-1].replace("10:00:02.123007Z", "10:00:03.123007Z")
    assert parse([*lines, later])[1]["line_count"].to_list() == [8, 1]


def test_partial_lines_are_joined_before_they_are_parsed() -> None:
    assert parse(CRI.split("\n"))[1]["body"][0] == "boom"


def test_only_neighbours_are_parts_of_one_line() -> None:
    partial, other = "2024-06-12T10:00:01.1Z stdout P abc", "2024-06-12 10:00:01,123 ERROR [main] a.B: x"
    records = parse([partial, other, partial, other, other])[1]
    assert records["position"].to_list() == [1, 2, 3, 4, 5]
    assert records["body"].to_list() == ["abc", "x", "abc", "x", "x"]


def test_a_record_is_not_folded_without_limit() -> None:
    lines = ["2024-06-12 10:00:01 ERROR start", *(["  more"] * (3 * folding.MAX_LINES))]
    parser, records = parse(lines, 700)
    assert records["line_count"].max() == folding.MAX_LINES
    assert records["line_count"].sum() == len(lines) == parser.parsed + parser.unparsed


def test_a_body_is_cut_to_a_size_and_counted() -> None:
    lines = ["2024-06-12 10:00:01 ERROR start", *(["  " + "x" * 1000] * 200), "2024-06-12 10:00:02 INFO next"]
    parser, records = parse(lines)
    assert records["line_count"].to_list() == [201, 1]
    assert records["body"].str.len_bytes().to_list() == [folding.MAX_BYTES, 4]
    assert [entry.position for entry in parser.quarantined] == [1]


def test_a_gap_in_the_positions_begins_a_record() -> None:
    lines = JAVA.split("\n")[:3]
    parser = Parser("app.log", modified_at=WRITTEN, observed_at=WRITTEN)
    table = pl.concat([frame(lines, 1), frame(["\tat x.y(Z.java:1)"], 90)])
    assert parser.parse_alone(table)["position"].to_list() == [1, 90]
