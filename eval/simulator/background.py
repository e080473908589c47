# ruff: noqa: E501 (log texts stay on one line, as programs write them)
"""Ordinary noise: what a healthy shop logs beside its requests, some of it loud."""

from __future__ import annotations

from eval.simulator import chores, chronic, platform
from eval.simulator.shop import OPERATIONS
from eval.simulator.stores import log_postgres, log_slow_statement
from eval.simulator.style import hexes
from eval.simulator.world import Effect, Failure, World

_SCANS = (
    "/wp-login.php", "/.env", "/phpmyadmin/index.php", "/.git/config", "/admin/login.jsp", "/cgi-bin/luci", "/xmlrpc.php",
    "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php", "/actuator/env", "/owa/auth/logon.aspx",
)  # fmt: skip
_BOTS = (
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "python-requests/2.31.0",
    "curl/7.88.1",
    "Mozilla/5.0 zgrab/0.x",
)


def start(w: World) -> None:
    """Sets all of it going."""
    n = w.noise
    chores.start(w)
    chronic.start(w)
    _health_checks(w)
    w.every(n.uniform(0, 120), 150, 60, lambda t: _scan(w, t))
    w.every(n.uniform(0, 20), 25, 15, lambda t: _crawl(w, t))
    w.every(n.uniform(0, 90), 90, 60, lambda t: _buffered(w, t))
    w.every(n.uniform(0, 8), 8, 7, lambda t: _no_icon(w, t))
    w.every(n.uniform(5, 60), 300, 2, lambda t: _checkpoint(w, t))
    w.every(n.uniform(5, 60), 95, 70, lambda t: _autovacuum(w, t))
    w.every(n.uniform(5, 90), 120, 100, lambda t: _slow_report(w, t))
    w.every(n.uniform(5, 90), 300, 3, lambda t: _redis_save(w, t))
    w.every(n.uniform(5, 90), 400, 250, lambda t: _deprecation(w, t))
    w.every(n.uniform(20, 300), 700, 500, lambda t: _flap(w, t))
    w.every(n.uniform(20, 200), 180, 120, lambda t: _client_error(w, t))
    w.every(n.uniform(10, 90), 60, 30, lambda t: _kubelet(w, t))
    w.every(n.uniform(10, 90), 75, 45, lambda t: _resolver(w, t))
    w.every(n.uniform(10, 400), 500, 300, lambda t: _kernel(w, t))
    _hiccups(w)


def _alive(w: World, store: str, t: float) -> bool:
    """Whether a store is up: a program that is gone writes nothing."""
    _, _, failure = w.suffer((f"store:{store}",), t, "background")
    return failure is None or failure.kind not in ("refused", "reset")


def syslog(w: World, t: float, node: str, program: str, message: str, cause: str | None = None) -> None:
    """A line of a node's syslog (RFC 3164)."""
    w.write(t, "node", f"{w.clock.syslog(t)} {node} {program}: {message}", cause)


def _resolver(w: World, t: float) -> None:
    n = w.noise
    client = w.services[n.choice(("checkout", "users", "inventory"))].pods[0].ip
    name = n.choice(("redis", "postgres", "payment", "inventory"))
    w.write(
        t, "coredns",
        f'[INFO] {client}:{n.randrange(32768, 60999)} - {n.randrange(1, 65535)} "A IN {name}.{w.style.namespace}.svc.cluster.local. udp 54 false 512" '
        f"NOERROR qr,aa,rd 106 0.000{n.randrange(100, 400)}s",
    )  # fmt: skip


def _kernel(w: World, t: float) -> None:
    n = w.noise
    node = n.choice(w.style.nodes)
    uptime = w.style.number(f"uptime/{node}", 90_000, 900_000) + t
    message = n.choice(
        (
            "IPVS: rr: TCP 10.0.0.1:443 - no destination available",
            "TCP: request_sock_TCP: Possible SYN flooding on port 8000. Sending cookies.",
            "perf: interrupt took too long (2503 > 2500), lowering kernel.perf_event_max_sample_rate to 79000",
        )
    )
    syslog(w, t, node, "kernel", f"[{uptime:.6f}] {message}")


def _health_checks(w: World) -> None:
    for name in ("checkout", "users"):
        if w.style.pick(f"probe/{name}", (True, True, False)):
            for index in range(2):
                w.every(w.noise.uniform(0, 10), 10, 0.05, lambda t, name=name, index=index: _probe(w, t, name, index))  # type: ignore[misc]


def _probe(w: World, t: float, name: str, index: int) -> None:
    pod = w.services[name].pods[index]
    if w.suffer((f"probe:{name}", f"service:{name}"), t, pod.name)[2] is None:
        host = pod.ip.rsplit(".", 1)[0] + ".1"
        w.write(t, name, f'INFO:     {host}:{w.noise.randrange(32768, 60999)} - "GET /healthz HTTP/1.1" 200 OK')


def _access(
    w: World, t: float, client: str, method: str, path: str, status: int, agent: str, rid: str = "", took: float = 0.0
) -> None:
    upstream = f"{took:.3f}" if took else "-"
    text = (
        f'{client} - - [{w.clock.nginx_access(t)}] "{method} {path} HTTP/1.1" {status} {w.noise.choice((146, 153, 162, 548))} '
        f'"-" "{agent}" rt={took:.3f} urt={upstream} rid={rid or hexes(w.noise, 32)}'
    )
    w.write(t, "gateway/access", text)


def _scan(w: World, t: float) -> None:
    client, agent = client_address_of(w), w.noise.choice(_BOTS[2:])
    for path in w.noise.sample(_SCANS, w.noise.randrange(2, 9)):
        status = w.noise.choice((404, 404, 404, 403))
        _access(w, t, client, "GET", path, status, agent)
        t += w.noise.expovariate(4)


def _not_there(w: World, t: float, client: str, path: str) -> None:
    """nginx's error log knows about files that it does not have."""
    number = w.style.number("nginx/connection", 10_000, 900_000) + int(t * 7)
    host = f"www.{w.style.database}.example"
    w.write(
        t, "gateway/error",
        f'{w.clock.nginx_error(t)} [error] 31#31: *{number} open() "/usr/share/nginx/html{path}" failed (2: No such file or directory), '
        f'client: {client}, server: {host}, request: "GET {path} HTTP/1.1", host: "{host}"',
    )  # fmt: skip


def client_address_of(w: World) -> str:
    """A client drawn from the noise generator, so that noise does not disturb the traffic."""
    n = w.noise
    return f"{n.choice((45, 89, 141, 162, 185, 193))}.{n.randrange(256)}.{n.randrange(256)}.{n.randrange(1, 255)}"


def _crawl(w: World, t: float) -> None:
    _access(
        w,
        t,
        client_address_of(w),
        "GET",
        w.noise.choice(("/robots.txt", "/sitemap.xml", "/", "/favicon.ico")),
        200,
        w.noise.choice(_BOTS[:2]),
    )


def _no_icon(w: World, t: float) -> None:
    """Phones ask for icons that the shop never had."""
    client = client_address_of(w)
    path = w.noise.choice(
        ("/apple-touch-icon.png", "/apple-touch-icon-precomposed.png", "/browserconfig.xml", "/ads.txt")
    )
    _access(w, t, client, "GET", path, 404, "Mobile Safari/604.1 NetworkingExtension/8618 CFNetwork/1496")
    _not_there(w, t, client, path)


def _buffered(w: World, t: float) -> None:
    n = w.noise
    number = w.style.number("nginx/connection", 10_000, 900_000) + int(t * 7)
    host = f"www.{w.style.database}.example"
    w.write(
        t, "gateway/error",
        f"{w.clock.nginx_error(t)} [warn] 30#30: *{number} an upstream response is buffered to a temporary file /var/cache/nginx/proxy_temp/{n.randrange(1, 9)}/00/{n.randrange(10**9):010} "
        f'while reading upstream, client: {client_address_of(w)}, server: {host}, request: "GET /api/products?q=desk HTTP/1.1", host: "{host}"',
    )  # fmt: skip


def _client_error(w: World, t: float) -> None:
    n = w.noise
    client = client_address_of(w)
    if n.random() < 0.6:
        _access(w, t, client, "GET", f"/api/products/SKU-{n.randrange(9000, 9999)}", 404, _BOTS[0])
    else:
        event, text = w.style.pick(
            "users/wrong",
            (
                ("login_rejected", "Login rejected for customer {c}: wrong password"),
                ("bad_credentials", "Wrong password for customer {c}"),
            ),
        )
        customer, request = n.randrange(10_000, 99_999), hexes(n, 32)
        took = n.uniform(0.05, 0.11)
        fields = {"customer": customer, "ip": client}
        w.say(t, "users", "warning", "users.auth", event, text.format(c=customer), fields, request, pod=0)
        _access(w, t + took, client, "POST", "/api/login", 401, "ShopApp/4.12.0 (iOS 17.5)", request, took)


def _deprecation(w: World, t: float) -> None:
    n = w.noise
    kind = n.randrange(3)
    if kind == 0:
        w.write(
            t,
            "checkout",
            "/usr/local/lib/python3.11/site-packages/pydantic/_internal/_config.py:345: UserWarning: Valid config keys have changed in V2:\n* 'orm_mode' has been renamed to 'from_attributes'\n  warnings.warn(message, UserWarning)",
        )
    elif kind == 1:
        w.say(
            t,
            "payment",
            "warning",
            "org.springframework.web.client.RestTemplate",
            "",
            "Header 'X-Legacy-Client' is deprecated and will be ignored from the next release",
            pod=0,
            thread="scheduling-1",
        )
    else:
        w.say(
            t,
            "inventory",
            "warning",
            "api/legacy.go:22",
            "deprecated endpoint called",
            None,
            {"path": "/v0/stock", "client": "partner-sync"},
            pod=0,
        )


def _flap(w: World, t: float) -> None:
    name = w.noise.choice(("inventory", "users", "checkout", "worker"))
    s = w.services[name]
    pod = w.noise.choice(s.pods)
    port = 8081 if name == "inventory" else 8000
    platform.event(
        w,
        t,
        "Pod",
        pod.name,
        "Unhealthy",
        f'Readiness probe failed: Get "http://{pod.ip}:{port}/healthz": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
        True,
    )


def _kubelet(w: World, t: float) -> None:
    n = w.noise
    if n.random() < 0.5:
        platform.node_log(
            w,
            t,
            "I",
            "image_gc_manager.go:310",
            f'"Disk usage on image filesystem is below the high threshold" usage={n.randrange(41, 58)} highThreshold=85',
        )
    else:
        platform.node_log(
            w,
            t,
            "I",
            "kubelet.go:2493",
            f'"SyncLoop (probe)" probe="readiness" status="ready" pod="{w.style.namespace}/{n.choice(w.services["users"].pods).name}"',
        )


def _hiccups(w: World) -> None:
    """Rare transient failures on every way between services: retried, and gone."""
    for site in ("checkout>payment", "checkout>inventory", "checkout>users", "worker>smtp"):
        target = site.partition(">")[2]

        def fail(t: float, tag: str, target: str = target) -> Failure | None:
            return Failure("timeout", None, 0.3, 504) if w.noise.random() < 0.004 else None

        w.effects.setdefault(f"edge:{site}", []).append(Effect(None, failure=fail))


def _checkpoint(w: World, t: float) -> None:
    if not _alive(w, "postgres", t):
        return
    n = w.noise
    who = f"[{w.style.number('pid/checkpointer', 20, 90)}]"
    seconds = n.uniform(8, 60)
    log_postgres(w, t, who, "LOG", "checkpoint starting: time", None)
    buffers = n.randrange(80, 1900)
    log_postgres(
        w, t + seconds, who, "LOG",
        f"checkpoint complete: wrote {buffers} buffers ({buffers / 163.84:.1f}%); 0 WAL file(s) added, 0 removed, {n.randrange(0, 3)} recycled; "
        f"write={seconds - 0.1:.3f} s, sync=0.0{n.randrange(10, 90)} s, total={seconds:.3f} s; sync files={n.randrange(12, 80)}, longest=0.00{n.randrange(1, 9)} s, "
        f"average=0.001 s; distance={n.randrange(900, 19000)} kB, estimate={n.randrange(9000, 21000)} kB",
        None,
    )  # fmt: skip


def _autovacuum(w: World, t: float) -> None:
    if not _alive(w, "postgres", t):
        return
    n = w.noise
    table = n.choice(("orders", "stock", "sessions", "ledger_entries", "products"))
    log_postgres(
        w,
        t,
        f"[{n.randrange(4000, 30000)}]",
        "LOG",
        f'automatic analyze of table "{w.style.database}.public.{table}" system usage: CPU: user: 0.0{n.randrange(1, 9)} s, system: 0.00 s, elapsed: 0.{n.randrange(10, 60)} s',
        None,
    )


def _slow_report(w: World, t: float) -> None:
    if not _alive(w, "postgres", t):
        return
    n = w.noise
    if n.random() < 0.5:
        user = w.style.pick("reporting/user", ("reporting", "bi_reader", "analytics"))
        query = n.choice(
            (
                "select date_trunc('day', created_at), sum(total) from orders group by 1 order by 1",
                "select sku, sum(reserved) from stock group by sku having sum(reserved) > 10",
            )
        )
        log_postgres(
            w,
            t,
            f"[{n.randrange(4000, 30000)}] {user}@{w.style.database}",
            "LOG",
            f"duration: {n.uniform(1002, 4300):.3f} ms  statement: {query}",
            None,
        )
        return
    operation = OPERATIONS[n.choice((("inventory", "search"), ("checkout", "order_status")))]
    rng, w.rng = w.rng, n
    log_slow_statement(w, w.services[operation.service], operation.steps[0], n.uniform(1.0, 1.9), t, None)
    w.rng = rng


def _redis_save(w: World, t: float) -> None:
    if not _alive(w, "redis", t):
        return
    n = w.noise
    pid = n.randrange(20, 9000)
    w.write(t, "redis", f"1:M {w.clock.redis(t)} * {n.randrange(100, 900)} changes in 300 seconds. Saving...")
    w.write(t + 0.003, "redis", f"1:M {w.clock.redis(t + 0.003)} * Background saving started by pid {pid}")
    w.write(t + 0.2, "redis", f"{pid}:C {w.clock.redis(t + 0.2)} * DB saved on disk")
    w.write(
        t + 0.21,
        "redis",
        f"{pid}:C {w.clock.redis(t + 0.21)} * Fork CoW for RDB: current {n.randrange(1, 6)} MB, peak {n.randrange(6, 9)} MB, average 2 MB",
    )
    w.write(t + 0.3, "redis", f"1:M {w.clock.redis(t + 0.3)} * Background saving terminated with success")
