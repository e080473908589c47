# ruff: noqa: E501 (log texts stay on one line, as programs write them)
"""What programs say when they start and stop."""

from __future__ import annotations

from eval.simulator.world import PORTS, World


def started(w: World, t: float, service: str, cause: str | None = None) -> float:
    """What a program says when it starts; returns when it is ready."""
    s = w.services[service]
    rng = w.rng
    port = w.listening.get(service, PORTS[service])
    if s.runtime == "java":
        thread = "main"
        boot = rng.uniform(5.5, 9.5)
        pid = 1
        app = f"{service.capitalize()}Application"
        for offset, logger, text in (
            (
                0.0,
                app,
                f"Starting {app} v{s.version} using Java 21.0.3 with PID {pid} (/app/{service}.jar started by app in /app)",
            ),
            (0.01, app, 'The following 1 profile is active: "prod"'),
            (
                boot * 0.45,
                "o.s.b.w.embedded.tomcat.TomcatWebServer",
                f"Tomcat initialized with port {port} (http)",
            ),
            (boot * 0.6, "com.zaxxer.hikari.HikariDataSource", "HikariPool-1 - Starting..."),
            (boot * 0.64, "com.zaxxer.hikari.HikariDataSource", "HikariPool-1 - Start completed."),
            (
                boot * 0.97,
                "o.s.b.w.embedded.tomcat.TomcatWebServer",
                f"Tomcat started on port {port} (http) with context path '/'",
            ),
            (boot, app, f"Started {app} in {boot:.3f} seconds (process running for {boot + 0.6:.3f})"),
        ):
            w.say(t + offset, service, "info", logger, "", text, cause=cause, thread=thread)
        return t + boot
    if s.runtime == "python":
        boot = rng.uniform(1.2, 2.6)
        w.say(
            t,
            service,
            "info",
            f"{service}.main",
            "starting",
            f"Starting {service} {s.version}",
            {"version": s.version, "workers": 4},
            cause=cause,
        )
        w.write(t + boot - 0.2, service, "INFO:     Started server process [1]", cause)
        w.write(t + boot - 0.2, service, "INFO:     Waiting for application startup.", cause)
        w.say(
            t + boot - 0.1,
            service,
            "info",
            f"{service}.db",
            "pool_ready",
            f"Database pool ready, size {s.pool.size}",
            {"size": s.pool.size},
            cause=cause,
        )
        w.write(t + boot, service, "INFO:     Application startup complete.", cause)
        w.write(
            t + boot,
            service,
            f"INFO:     Uvicorn running on http://0.0.0.0:{port} (Press CTRL+C to quit)",
            cause,
        )
        return t + boot
    if s.runtime == "go":
        w.say(
            t,
            service,
            "info",
            "cmd/inventory/main.go:38",
            "starting",
            None,
            {"version": s.version, "go": "go1.22.4"},
            cause=cause,
        )
        w.say(
            t + 0.2,
            service,
            "info",
            "store/store.go:44",
            "database pool ready",
            None,
            {"max_conns": s.pool.size},
            cause=cause,
        )
        w.say(
            t + 0.3,
            service,
            "info",
            "cmd/inventory/main.go:71",
            "listening",
            None,
            {"addr": f":{port}"},
            cause=cause,
        )
        return t + 0.3
    w.say(t, service, "info", "", "worker starting", None, {"version": s.version, "node": "v20.14.0"}, cause=cause)
    w.say(t + 0.6, service, "info", "", "connected to redis", None, {"queue": "orders", "concurrency": 8}, cause=cause)
    return t + 0.6


def stopping(w: World, t: float, service: str, cause: str | None = None) -> None:
    """What a program says when it is asked to stop."""
    s = w.services[service]
    if s.runtime == "java":
        w.say(
            t,
            service,
            "info",
            "o.s.b.w.e.tomcat.GracefulShutdown",
            "",
            "Commencing graceful shutdown. Waiting for active requests to complete",
            cause=cause,
            thread="SpringApplicationShutdownHook",
        )
        w.say(
            t + 0.8,
            service,
            "info",
            "com.zaxxer.hikari.HikariDataSource",
            "",
            "HikariPool-1 - Shutdown completed.",
            cause=cause,
            thread="SpringApplicationShutdownHook",
        )
    elif s.runtime == "python":
        w.write(t, service, "INFO:     Shutting down", cause)
        w.write(t + 0.5, service, "INFO:     Finished server process [1]", cause)
    else:
        logger = "cmd/inventory/main.go:83" if s.runtime == "go" else ""
        w.say(t, service, "info", logger, "shutting down", None, {"signal": "SIGTERM"}, cause=cause)
