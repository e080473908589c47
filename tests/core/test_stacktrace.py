"""Stack traces of each language: frames, exceptions, causal order, own code, and whatever a log does to them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.stackframes import repository_path
from core.stacktrace import StackTrace, deepest_own_frame, parse, root_frame

PYTHON = """\
Traceback (most recent call last):
  File "/srv/inventory/worker/sync.py", line 88, in run
    self._store.replace(rows)
    ~~~~~~~~~~~~~~~~~~~^^^^^^
  File "/srv/inventory/db/store.py", line 142, in replace
    cursor.execute(statement, values)
  File "/usr/lib/python3/dist-packages/pymysql/cursors.py", line 153, in execute
    result = self._query(query)
pymysql.err.OperationalError: (1205, 'Lock wait timeout exceeded')"""

PYTHON_CHAIN = """\
Traceback (most recent call last):
  File "/app/store.py", line 10, in load
    json.loads(text)
  File "/usr/lib/python3.11/json/__init__.py", line 346, in loads
    return _default_decoder.decode(s)
json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/main.py", line 3, in <module>
    load()
app.errors.StoreBroken"""

JAVA = """\
Exception in thread "main" com.shop.CheckoutException: could not pay
\tat com.shop.checkout.Checkout.lambda$pay$0(Checkout.java:44)
\tat org.springframework.web.method.Invocable.invoke(Invocable.java:1)
\tSuppressed: java.io.IOException: close failed
\t\tat com.shop.checkout.Session.close(Session.java:4)
Caused by: org.postgresql.util.PSQLException: ERROR: relation "orders" does not exist
\tat org.postgresql.core.v3.QueryExecutorImpl.receive(QueryExecutorImpl.java:2676)
\tat com.shop.db.OrderDao.insert(OrderDao.java:88)
\tat java.base/java.lang.Thread.run(Thread.java:833)
\t... 12 more"""

GO = """\
panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x4a]

goroutine 17 [running]:
runtime.gopanic({0x1, 0x2})
\t/usr/local/go/src/runtime/panic.go:884 +0x213
github.com/acme/shop/internal/cart.(*Service).Add(0xc00001, {0x0, 0x0})
\t/go/src/github.com/acme/shop/internal/cart/service.go:42 +0x1d
main.main()
\t/app/cmd/main.go:12 +0x25"""

NODE = """\
TypeError: Cannot read properties of undefined (reading 'id')
    at Object.charge (/usr/src/app/src/payment/charge.ts:31:18)
    at async /usr/src/app/src/routes/pay.js:10:5
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)
    at Layer.handle [as handle_request] (/usr/src/app/node_modules/express/lib/router/layer.js:95:5)"""

DOTNET = """\
System.InvalidOperationException: saving failed ---> System.TimeoutException: The operation timed out
   at Npgsql.NpgsqlConnector.Open(Int32 timeout) in /src/npgsql/NpgsqlConnector.cs:line 3
   at Shop.Data.OrderRepository.<SaveAsync>d__4.MoveNext() in C:\\build\\src\\Shop\\Data\\OrderRepository.cs:line 57
   --- End of inner exception stack trace ---
   at Shop.Api.OrdersController.Post(Order order) in /src/Shop/Api/OrdersController.cs:line 21"""

RUST = """\
thread 'main' panicked at src/cart/total.rs:14:9:
index out of bounds: the len is 3 but the index is 99
stack backtrace:
   0: rust_begin_unwind
             at /rustc/9fc6b43126469e3858e2fe86cafb4f0fd5068869/library/std/src/panicking.rs:665:5
   1: shop::cart::total::sum
             at ./src/cart/total.rs:14:9
   2: shop::main
             at ./src/main.rs:5:5"""

RUBY = """\
/app/lib/order.rb:12:in `charge': undefined method `id' for nil:NilClass (NoMethodError)
\tfrom /usr/local/bundle/gems/rack-2.2.3/lib/rack.rb:3:in `call'
\tfrom /app/lib/checkout.rb:7:in `block in create'"""

PHP = """\
PHP Fatal error:  Uncaught PDOException: SQLSTATE[HY000] [2002] Connection refused in /var/www/html/src/Db.php:20
Stack trace:
#0 /var/www/html/src/Db.php(20): PDO->__construct()
#1 /var/www/html/public/index.php(8): Shop\\Db->connect()
#2 {main}
  thrown in /var/www/html/src/Db.php on line 20"""


@pytest.mark.parametrize(
    ("text", "language", "exception", "file", "line", "function"),
    [
        (PYTHON, "python", "pymysql.err.OperationalError", "inventory/db/store.py", 142, "replace"),
        (PYTHON_CHAIN, "python", "json.decoder.JSONDecodeError", "store.py", 10, "load"),
        (JAVA, "java", "org.postgresql.util.PSQLException", "com/shop/db/OrderDao.java", 88, "insert"),
        (GO, "go", "panic", "internal/cart/service.go", 42, "Add"),
        (NODE, "node", "TypeError", "src/payment/charge.ts", 31, "charge"),
        (DOTNET, "dotnet", "System.TimeoutException", "src/Shop/Data/OrderRepository.cs", 57, "SaveAsync"),
        (RUST, "rust", "panic", "src/cart/total.rs", 14, "sum"),
        (RUBY, "ruby", "NoMethodError", "lib/order.rb", 12, "charge"),
        (PHP, "php", "PDOException", "src/Db.php", 20, "connect"),
    ],
)
def test_names_the_deepest_own_frame_of_the_root_cause(
    text: str, language: str, exception: str, file: str, line: int, function: str
) -> None:
    found = root_frame(parse(text))
    assert found is not None
    trace, frame = found
    assert (trace.language, trace.exception) == (language, exception)
    assert (frame.file, frame.line, frame.function) == (file, line, function)


def summary(traces: tuple[StackTrace, ...]) -> list[tuple[str | None, str | None, bool, int]]:
    return [(trace.exception, trace.message, trace.suppressed, len(trace.frames)) for trace in traces]


def test_a_java_chain_is_in_causal_order_with_the_suppressed_last() -> None:
    assert summary(parse(JAVA)) == [
        ("org.postgresql.util.PSQLException", 'ERROR: relation "orders" does not exist', False, 3),
        ("com.shop.CheckoutException", "could not pay", False, 2),
        ("java.io.IOException", "close failed", True, 1),
    ]


def test_a_dotnet_inner_exception_comes_before_its_wrapper() -> None:
    assert summary(parse(DOTNET)) == [
        ("System.TimeoutException", "The operation timed out", False, 2),
        ("System.InvalidOperationException", "saving failed", False, 1),
    ]


def test_a_python_chain_keeps_both_and_an_exception_without_message() -> None:
    assert summary(parse(PYTHON_CHAIN)) == [
        ("json.decoder.JSONDecodeError", "Expecting value: line 1 column 1 (char 0)", False, 2),
        ("app.errors.StoreBroken", None, False, 1),
    ]


@pytest.mark.parametrize("text", [PYTHON, JAVA, GO, NODE, RUBY, DOTNET])
@pytest.mark.parametrize(
    "header", ["2026-03-02 10:01:04.551 4177 ERROR inventory.worker.sync ", "E0302 10:01:04.551000       1 pay.go:9] "]
)
def test_a_log_header_on_every_line_changes_nothing(text: str, header: str) -> None:
    headed = "\n".join(header + line for line in text.split("\n"))
    assert parse(headed) == parse(text)


def test_a_trace_escaped_into_one_line_is_read() -> None:
    assert (
        parse('{"error": "' + PYTHON.replace('"', '\\"').replace("\n", "\\n") + '"}')[0].frames
        == parse(PYTHON)[0].frames
    )


def test_a_trace_written_as_a_list_of_lines_is_read() -> None:
    listed = "Remote error: KeyError a [" + ", ".join(f"u{line + chr(10)!r}" for line in PYTHON.split("\n")) + "]"
    (ours, *_), (theirs, *_) = parse(listed), parse(PYTHON)
    assert (ours.frames, ours.exception) == (theirs.frames, theirs.exception)


def test_a_trace_indented_as_a_block_keeps_its_exception() -> None:
    block = """SSL certificate expired
                 Traceback (most recent call last):
                 File "/app/app.py", line 141, in check
                    raise Expired(f"Certificate expired on {expiry}")
                 Expired: Certificate expired on 2024-08-03"""
    (trace,) = parse(block)
    assert (trace.exception, trace.message) == ("Expired", "Certificate expired on 2024-08-03")
    assert deepest_own_frame(trace) == trace.frames[-1]


def test_truncated_traces_give_the_frames_they_have() -> None:
    headless = "\n".join(PYTHON.split("\n")[2:])
    assert [frame.function for frame in parse(headless)[0].frames] == ["replace", "execute"]
    assert parse(headless)[0].exception == "pymysql.err.OperationalError"
    tailless = "\n".join(PYTHON.split("\n")[:3])
    assert summary(parse(tailless)) == [(None, None, False, 1)]


def test_installed_packages_are_own_where_the_caller_names_them() -> None:
    text = """Traceback (most recent call last):
  File "/usr/lib/python3/dist-packages/nova/compute/manager.py", line 2431, in _build_resources
    yield resources
  File "/usr/lib/python3/dist-packages/oslo_utils/excutils.py", line 227, in __exit__
    self.force_reraise()
nova.exception.BuildAbortException: aborted"""
    (trace,) = parse(text)
    assert deepest_own_frame(trace) is None
    frame = deepest_own_frame(trace, ["nova"])
    assert frame is not None
    assert (frame.file, frame.function) == ("nova/compute/manager.py", "_build_resources")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/opt/stack/nova/nova/compute/manager.py", "nova/compute/manager.py"),
        ("/usr/lib/python3/dist-packages/nova/compute/manager.py", "nova/compute/manager.py"),
        ("/usr/src/app/src/pay.js", "src/pay.js"),
        ("file:///app/pay.mjs", "pay.mjs"),
        ("webpack-internal:///./src/cart.ts", "src/cart.ts"),
        ("C:\\agent\\Shop\\Pay.cs", "agent/Shop/Pay.cs"),
        ("/home/ci/shop/shop/api.py", "shop/api.py"),
        ("./src/main.rs", "src/main.rs"),
        ("inventory/db/store.py", "inventory/db/store.py"),
    ],
)
def test_paths_are_written_as_a_repository_writes_them(path: str, expected: str) -> None:
    assert repository_path(path) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "GET /index.php 200",
        "we met at the office (room 4)",
        "10:03:11 retry at step 3",
        "Error: image pull failed at registry",
        'level=info caller=main.go:12 msg="started"',
    ],
)
def test_prose_is_no_trace(text: str) -> None:
    assert parse(text) == ()


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                *PYTHON.split("\n"),
                *JAVA.split("\n"),
                *GO.split("\n"),
                *DOTNET.split("\n"),
                *PHP.split("\n"),
                *RUST.split("\n"),
                "\x00",
                "x",
            ]
        )
        | st.text(max_size=30),
        max_size=40,
    )
)
def test_any_mixture_of_lines_is_parsed_without_an_exception(lines: list[str]) -> None:
    for trace in parse("\n".join(lines)):
        assert trace.frames


def test_an_overlong_line_costs_a_bounded_time() -> None:
    started = time.perf_counter()
    for hostile in (
        "a" * 500_000,
        "at " + "a." * 250_000,
        "a/b" * 150_000 + ".go:1",
        "(" * 300_000,
        "E" * 300_000 + ": x",
    ):
        assert parse(f"x\n{hostile}\nat y") is not None
    assert time.perf_counter() - started < 5.0


def test_the_lines_below_a_python_exception_belong_to_its_message() -> None:
    trace = """\
[disk: d7] Traceback (most recent call last):
[disk: d7]   File "/srv/compute/images.py", line 22, in convert
[disk: d7]     run(command)
[disk: d7] compute.CommandError: Unexpected error
[disk: d7] Exit code: 1
[disk: d7] Stderr: 'convert: quota exceeded'
[disk: d7]
[disk: d7] During handling of the above exception, another exception occurred:
[disk: d7]
[disk: d7] Traceback (most recent call last):
[disk: d7]   File "/srv/compute/manager.py", line 9, in spawn
[disk: d7] compute.BuildError: build failed"""
    first, second = parse(trace)
    assert first.message == "Unexpected error\nExit code: 1\nStderr: 'convert: quota exceeded'"
    assert (second.exception, second.message) == ("compute.BuildError", "build failed")


def test_a_trace_that_an_exception_relays_is_its_cause() -> None:
    local = [
        line
        for at in range(12)
        for line in (f'  File "/srv/compute/manager.py", line {at + 1}, in step{at}', "    self.next()")
    ]
    relayed = (
        "[u'Traceback (most recent call last):\\n', u'  File \"/srv/conductor/manager.py\", line 124, in dispatch\\n"
        "    return call()\\n', u'  File \"/srv/objects/volume.py\", line 7, in save\\n    self.size()\\n', "
        "u\"KeyError: u'size'\\n\"]."
    )
    first, second = parse(
        "\n".join(
            ["Traceback (most recent call last):", *local, "RemoteError: Remote error: KeyError u'size'", relayed]
        )
    )
    assert (first.exception, first.message, first.frames[-1].function) == ("KeyError", "u'size'", "save")
    assert (second.exception, len(second.frames)) == ("RemoteError", 12)
