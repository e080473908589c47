"""Stack traces as the four runtimes print them."""

from __future__ import annotations

from dataclasses import dataclass

from eval.simulator.code import (
    GO_LIBRARY,
    JAVA_ENTRY,
    JAVA_LIBRARY,
    JAVA_STATEMENT,
    NODE_LIBRARY,
    OWN,
    PYTHON_ENTRY,
    PYTHON_LIBRARY,
    Frame,
    library_of,
)
from eval.simulator.style import Style
from eval.simulator.wording import Chain

_STATEMENT_REFUSED = ("BadSql", "Integrity", "Duplicate", "AcquireLock", "Uncategorized", "QueryTimeout")
_GO_ROOT = "/src/inventory"


@dataclass(frozen=True, slots=True)
class Trace:
    """An exception and its stack: `type` and `message` of the outermost, the printed `text` without a header."""

    type: str
    message: str
    text: str


def own_frame(style: Style, service: str, place: str, version: str = "") -> Frame:
    """The frame of a place in the service's own code; a new version moves its line."""
    file, function = OWN[service][place]
    line = style.number(f"line/{service}/{place}/{version}", 18, 240)
    return Frame(file, function, line)


def build(style: Style, service: str, runtime: str, places: tuple[str, ...], chain: Chain, version: str = "") -> Trace:
    """The trace of `chain` raised at `places[-1]`, entered by `places[0]`. Messages are already filled in."""
    frames = tuple(own_frame(style, service, place, version) for place in places)
    library = library_of(places[-1])
    outer, message = chain[0]
    if runtime == "python":
        text = _python(frames, library, chain)
    elif runtime == "java":
        text = _java(style, frames, library, chain)
    elif runtime == "go":
        text = _go(frames, library)
    else:
        text = _node(frames, library, chain)
    return Trace(outer, message, text)


def _python_frames(frames: tuple[Frame, ...]) -> list[str]:
    lines: list[str] = []
    for frame in frames:
        path = frame.file if frame.file.startswith("/") else f"/app/{frame.file}"
        lines.append(f'  File "{path}", line {frame.line}, in {frame.function}')
        lines.append(f"    {_python_source(frame)}")
    return lines


def _python_source(frame: Frame) -> str:
    known = {
        "app": "response = await func(request)",
        "run_endpoint_function": "return await run_in_threadpool(dependant.call, **values)",
        "post": 'return self.request("POST", url, content=content, json=json, timeout=timeout)',
        "send": "response = self._send_handling_auth(request, auth=auth)",
        "handle_request": "resp = self._pool.handle_request(req)",
        "execute": "return self._execute_internal(statement, params)",
        "_execute_context": "self.dialect.do_execute(cursor, str_statement, effective_parameters, context)",
        "do_execute": "cursor.execute(statement, parameters)",
        "execute_command": "return conn.retry.call_with_retry(lambda: self._send_command_parse_response(conn, *args))",
        "send_command": "self.send_packed_command(self._command_packer.pack(*args))",
        "place_order": "order = service.place(cart, customer, payment_method)",
        "verify_token": 'response = self._http.post("/internal/verify", json={"token": token})',
        "reserve": 'response = self._http.post("/internal/reservations", json=payload)',
        "charge": 'response = self._http.post("/v1/charges", json=payload, timeout=self._timeout)',
        "load_cart": "raw = self._redis.get(self._key(cart_id))",
        "save_cart": "self._redis.set(self._key(cart.id), cart.dump(), ex=self._ttl)",
        "insert_order": "session.execute(insert(orders).values(**row))",
        "load_order": "row = session.execute(select(orders).where(orders.c.id == order_id)).one()",
        "find_by_email": "row = session.execute(select(accounts).where(accounts.c.email == email)).one_or_none()",
        "load_settings": "return Settings()",
        "add_item": "cart = carts.add(cart_id, item.sku, item.quantity)",
        "order_status": "order = service.status(order_id)",
        "order_total": "return sum((line.amount for line in lines), start=cart.shipping_fee)",
        "apply_discounts": 'total -= total * discount["percent_off"] / 100',
        "login": "account = service.authenticate(payload.email, payload.password)",
        "verify": "claims = tokens.verify(payload.token)",
        "check_password": 'return bcrypt.checkpw(password.encode("ascii"), account.password_hash)',
        "decode_token": 'return Claims(tenant=claims["tenant"], expires_at=claims["exp"])',
        "load_session": 'raw = self._redis.get(f"session:{token_id}")',
        "load_account": "row = session.execute(select(accounts).where(accounts.c.id == account_id)).one()",
        "publish": "self._redis.rpush(self._queue, message.dump())",
    }
    return known.get(frame.function, "return handler(request)")


def _python(frames: tuple[Frame, ...], library: str, chain: Chain) -> str:
    lines: list[str] = []
    inner = (*frames[-1:], *PYTHON_LIBRARY[library])
    for depth, (kind, message) in enumerate(reversed(chain)):
        if depth:
            lines += ["", "The above exception was the direct cause of the following exception:", ""]
        lines.append("Traceback (most recent call last):")
        last = depth == len(chain) - 1
        stack = (*PYTHON_ENTRY, *frames) if last else inner
        if last and not depth:
            stack = (*stack, *PYTHON_LIBRARY[library])
        lines += _python_frames(stack)
        lines.append(f"{kind}: {message}" if message else kind)
    return "\n".join(lines)


def java_class(style: Style, file: str) -> str:
    """`com.acme.payment.psp.PspClient` for `psp/PspClient.java`."""
    return f"{style.package}.payment.{file.removesuffix('.java').replace('/', '.')}"


def _java(style: Style, frames: tuple[Frame, ...], library: str, chain: Chain) -> str:
    own = [
        f"\tat {java_class(style, frame.file)}.{frame.function}({frame.file.rpartition('/')[2]}:{frame.line})"
        for frame in reversed(frames)
    ]
    innermost, *outer = JAVA_LIBRARY[library] or ("",)
    if library == "db" and any(kind in chain[0][0] for kind in _STATEMENT_REFUSED):
        innermost, *outer = JAVA_STATEMENT
    lines: list[str] = []
    for depth, (kind, message) in enumerate(chain):
        head = f"{kind}: {message}" if message else kind
        lines.append(head if not depth else f"Caused by: {head}")
        if depth and depth == len(chain) - 1 and library:
            lines.append(f"\tat {innermost}")
            lines.append(f"\t... {38 + len(own)} common frames omitted")
        elif depth:
            lines += own[:1]
            lines.append(f"\t... {37 + len(own)} common frames omitted")
        else:
            lines += [f"\tat {frame}" for frame in outer]
            lines += own
            lines += [f"\tat {frame}" for frame in JAVA_ENTRY]
    return "\n".join(lines)


def go_function(frame: Frame) -> str:
    """`inventory/internal/store.(*Stock).Reserve` for the frame of a method in `internal/store/stock.go`."""
    folder, _, file = frame.file.rpartition("/")
    return f"inventory/{folder}.(*{file.removesuffix('.go').capitalize()}).{frame.function}"


def _go(frames: tuple[Frame, ...], library: str) -> str:
    lines: list[str] = []
    for frame in GO_LIBRARY.get(library, ()):
        lines += [frame.function, f"\t{frame.file}:{frame.line}"]
    for frame in reversed(frames):
        lines += [go_function(frame), f"\t{_GO_ROOT}/{frame.file}:{frame.line}"]
    lines += ["net/http.HandlerFunc.ServeHTTP", "\t/usr/local/go/src/net/http/server.go:2166"]
    return "\n".join(lines)


def go_panic(frames: tuple[Frame, ...], message: str, goroutine: int, address: str) -> str:
    """What the Go runtime prints when a handler panics with `message`; `frames` are own frames, outermost first."""
    lines = [
        f"http: panic serving {address}: {message}",
        f"goroutine {goroutine} [running]:",
        "net/http.(*conn).serve.func1()",
        "\t/usr/local/go/src/net/http/server.go:1898 +0xbe",
        "panic({0x8c3f20?, 0xd51a80?})",
        "\t/usr/local/go/src/runtime/panic.go:770 +0x132",
    ]
    for frame in reversed(frames):
        lines += [
            f"{go_function(frame)}(0xc000{goroutine:06x}, {{0xa1b2c8, 0xc0004d2000}})",
            f"\t{_GO_ROOT}/{frame.file}:{frame.line} +0x1d4",
        ]
    lines += [
        "net/http.HandlerFunc.ServeHTTP(0xc0001a6000?, {0xa1b2c8?, 0xc0004d2000?}, 0x0?)",
        "\t/usr/local/go/src/net/http/server.go:2166 +0x29",
    ]
    return "\n".join(lines)


def _node(frames: tuple[Frame, ...], library: str, chain: Chain) -> str:
    lines: list[str] = []
    for depth, (kind, message) in enumerate(chain):
        lines.append(f"{kind}: {message}" if not depth else f"Caused by: {kind}: {message}")
        lines += [f"    at {entry}" for entry in NODE_LIBRARY[library]]
        for frame in reversed(frames):
            lines.append(f"    at async {frame.function} (/app/{frame.file}:{frame.line}:{7 + frame.line % 23})")
        lines.append("    at async Worker.processJob (/app/node_modules/bullmq/dist/cjs/classes/worker.js:502:28)")
    return "\n".join(lines)
