# ruff: noqa: E501 (log texts stay on one line, as programs write them)
"""How each runtime words what went wrong: exception class and message, outermost first, several phrasings each.

Fields: `{host}`, `{ip}`, `{port}`, `{ms}`, `{seconds}`, `{service}`, `{peer}` and what the condition adds. A chain of two
or more entries is an exception with causes.
"""

from __future__ import annotations

from typing import Final

Chain = tuple[tuple[str, str], ...]

CONDITIONS: Final[dict[str, dict[str, tuple[Chain, ...]]]] = {
    "refused": {
        "python": (
            (("httpx.ConnectError", "[Errno 111] Connection refused"),),
            (
                ("checkout.errors.UpstreamError", "{peer} unreachable at {host}:{port}"),
                ("ConnectionRefusedError", "[Errno 111] Connection refused"),
            ),
        ),
        "java": (
            (
                (
                    "org.springframework.web.client.ResourceAccessException",
                    'I/O error on POST request for "https://{host}/v2/charges": Connection refused',
                ),
                ("java.net.ConnectException", "Connection refused"),
            ),
        ),
        "go": ((("*net.OpError", "dial tcp {ip}:{port}: connect: connection refused"),),),
        "node": ((("Error", "connect ECONNREFUSED {ip}:{port}"),),),
    },
    "timeout": {
        "python": (
            (("httpx.ReadTimeout", "The read operation timed out"),),
            (("httpx.ReadTimeout", "timed out waiting for {peer} after {seconds}s"),),
            (("TimeoutError", "no answer from {host} within {ms} ms"),),
        ),
        "java": (
            (
                (
                    "org.springframework.web.client.ResourceAccessException",
                    'I/O error on POST request for "https://{host}/v2/charges": Read timed out',
                ),
                ("java.net.SocketTimeoutException", "Read timed out"),
            ),
            (("java.net.http.HttpTimeoutException", "request timed out"),),
        ),
        "go": (
            (
                (
                    "*url.Error",
                    'Post "http://{host}:{port}/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
                ),
            ),
            (("*errors.errorString", "read tcp {ip}:{port}: i/o timeout"),),
        ),
        "node": ((("Error", "connect ETIMEDOUT {ip}:{port}"),), (("TimeoutError", "{peer} did not answer in {ms}ms"),)),
    },
    "pool_timeout": {
        "python": (
            (
                (
                    "sqlalchemy.exc.TimeoutError",
                    "QueuePool limit of size {size} overflow 0 reached, connection timed out, timeout {seconds}.00 (Background on this error at: https://sqlalche.me/e/20/3o7r)",
                ),
            ),
        ),
        "java": (
            (
                ("org.springframework.jdbc.CannotGetJdbcConnectionException", "Failed to obtain JDBC Connection"),
                (
                    "java.sql.SQLTransientConnectionException",
                    "HikariPool-1 - Connection is not available, request timed out after {ms}ms (total={size}, active={size}, idle=0, waiting={waiting})",
                ),
            ),
            (
                ("org.springframework.dao.DataAccessResourceFailureException", "Unable to acquire JDBC Connection"),
                (
                    "java.sql.SQLTransientConnectionException",
                    "HikariPool-1 - Connection is not available, request timed out after {ms}ms.",
                ),
            ),
        ),
        "go": (
            (
                (
                    "*errors.errorString",
                    "acquire connection: context deadline exceeded (max_conns={size}, acquired={size})",
                ),
            ),
        ),
        "node": ((("Error", "timeout exceeded when trying to connect"),),),
    },
}
