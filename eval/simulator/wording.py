# ruff: noqa: E501 (log texts stay on one line, as programs write them)
"""How each runtime words what went wrong: exception class and message, outermost first, several phrasings each.

Fields: `{host}`, `{ip}`, `{port}`, `{ms}`, `{seconds}`, `{service}`, `{peer}` and what the condition adds. A chain of two
or more entries is an exception with causes. `kind@peer` words a condition of one peer and goes before `kind`.
"""

from __future__ import annotations

from typing import Final

Chain = tuple[tuple[str, str], ...]
Options = tuple[Chain, ...]


def _one(kind: str, *messages: str) -> Options:
    return tuple(((kind, message),) for message in messages)


_JAVA_IO: Final = "org.springframework.web.client.ResourceAccessException"
_POST: Final = 'I/O error on POST request for "https://{host}/v2/charges": '

CONDITIONS: Final[dict[str, dict[str, Options]]] = {
    "refused": {
        "python": (
            (("httpx.ConnectError", "[Errno 111] Connection refused"),),
            (("{service}.errors.UpstreamUnavailable", "{peer} unreachable at {host}:{port}"), ("ConnectionRefusedError", "[Errno 111] Connection refused")),
            (("httpx.ConnectError", "All connection attempts failed"),),
        ),
        "java": (
            ((_JAVA_IO, _POST + "Connection refused"), ("java.net.ConnectException", "Connection refused")),
            (("java.net.ConnectException", "Connection refused: {host}/{ip}:{port}"),),
        ),
        "go": _one("*net.OpError", "dial tcp {ip}:{port}: connect: connection refused"),
        "node": _one("Error", "connect ECONNREFUSED {ip}:{port}"),
    },
    "refused@postgres": {
        "python": (
            (
                ("sqlalchemy.exc.OperationalError", '(psycopg2.OperationalError) connection to server at "{host}" ({ip}), port 5432 failed: Connection refused'),
                ("psycopg2.OperationalError", 'connection to server at "{host}" ({ip}), port 5432 failed: Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?'),
            ),
        ),
        "java": (
            (
                ("org.springframework.jdbc.CannotGetJdbcConnectionException", "Failed to obtain JDBC Connection"),
                ("org.postgresql.util.PSQLException", "Connection to {host}:5432 refused. Check that the hostname and port are correct and that the postmaster is accepting TCP/IP connections."),
                ("java.net.ConnectException", "Connection refused"),
            ),
        ),
        "go": _one("*pgconn.ConnectError", "failed to connect to `user=inventory`: {ip}:5432 ({host}): dial error: dial tcp {ip}:5432: connect: connection refused"),
        "node": _one("Error", "connect ECONNREFUSED {ip}:5432"),
    },
    "refused@redis": {
        "python": _one("redis.exceptions.ConnectionError", "Error 111 connecting to {host}:6379. Connection refused."),
        "java": _one("org.springframework.data.redis.RedisConnectionFailureException", "Unable to connect to Redis"),
        "go": _one("*net.OpError", "dial tcp {ip}:6379: connect: connection refused"),
        "node": _one("Error", "connect ECONNREFUSED {ip}:6379"),
    },
    "timeout": {
        "python": (
            (("httpx.ReadTimeout", "The read operation timed out"),),
            (("httpx.ReadTimeout", "timed out"),),
            (("{service}.errors.UpstreamTimeout", "{peer} did not answer within {ms} ms"), ("httpx.ReadTimeout", "The read operation timed out")),
        ),
        "java": (
            ((_JAVA_IO, _POST + "Read timed out"), ("java.net.SocketTimeoutException", "Read timed out")),
            ((_JAVA_IO, _POST + "request timed out"), ("java.net.http.HttpTimeoutException", "request timed out")),
        ),
        "go": (
            *_one("*url.Error", 'Post "http://{host}:{port}/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)'),
            *_one("*net.OpError", "read tcp {ip}:{port}: i/o timeout"),
        ),
        "node": (*_one("Error", "connect ETIMEDOUT {ip}:{port}"), *_one("TimeoutError", "{peer} did not answer in {ms}ms")),
    },
    "timeout@postgres": {
        "python": _one("sqlalchemy.exc.OperationalError", '(psycopg2.OperationalError) connection to server at "{host}" ({ip}), port 5432 failed: timeout expired'),
        "java": (
            (
                ("org.springframework.dao.DataAccessResourceFailureException", "PreparedStatementCallback; An I/O error occurred while sending to the backend."),
                ("org.postgresql.util.PSQLException", "An I/O error occurred while sending to the backend."),
                ("java.net.SocketTimeoutException", "Read timed out"),
            ),
        ),
        "go": _one("*errors.errorString", "timeout: context deadline exceeded", "read tcp {ip}:5432: i/o timeout"),
        "node": _one("Error", "Connection terminated due to connection timeout"),
    },
    "timeout@redis": {
        "python": _one("redis.exceptions.TimeoutError", "Timeout reading from {host}:6379", "Timeout connecting to server"),
        "java": _one("io.lettuce.core.RedisCommandTimeoutException", "Command timed out after {seconds} second(s)"),
        "go": _one("*net.OpError", "read tcp {ip}:6379: i/o timeout"),
        "node": _one("Error", "Connection timeout"),
    },
    "timeout@smtp": {"node": (*_one("Error", "Connection timeout"), *_one("Error", "Greeting never received"))},
    "reset": {
        "python": (
            *_one("httpx.RemoteProtocolError", "Server disconnected without sending a response."),
            *_one("httpx.ReadError", "[Errno 104] Connection reset by peer"),
        ),
        "java": (((_JAVA_IO, _POST + "Connection reset"), ("java.net.SocketException", "Connection reset")),),
        "go": _one("*net.OpError", "read tcp {ip}:{port}: read: connection reset by peer"),
        "node": _one("Error", "read ECONNRESET"),
    },
    "reset@postgres": {
        "python": _one("sqlalchemy.exc.OperationalError", "(psycopg2.OperationalError) server closed the connection unexpectedly"),
        "java": (
            (
                ("org.springframework.dao.DataAccessResourceFailureException", "PreparedStatementCallback; This connection has been closed."),
                ("org.postgresql.util.PSQLException", "This connection has been closed."),
            ),
        ),
        "go": _one("*pgconn.PgError", "unexpected EOF"),
        "node": _one("Error", "Connection terminated unexpectedly"),
    },
    "reset@redis": {
        "python": _one("redis.exceptions.ConnectionError", "Connection closed by server.", "Error while reading from {host}:6379 : (104, 'Connection reset by peer')"),
        "go": _one("*net.OpError", "read tcp {ip}:6379: read: connection reset by peer"),
        "node": _one("Error", "Socket closed unexpectedly"),
    },
    "dns": {
        "python": (
            *_one("httpx.ConnectError", "[Errno -3] Temporary failure in name resolution"),
            *_one("httpx.ConnectError", "[Errno -2] Name or service not known"),
        ),
        "java": (
            ((_JAVA_IO, _POST + "{host}"), ("java.net.UnknownHostException", "{host}")),
            ((_JAVA_IO, _POST + "{host}"), ("java.net.UnknownHostException", "{host}: Temporary failure in name resolution")),
        ),
        "go": _one("*net.DNSError", "dial tcp: lookup {host} on {resolver}:53: read udp {ip}:41022->{resolver}:53: i/o timeout", "dial tcp: lookup {host} on {resolver}:53: server misbehaving"),
        "node": (*_one("Error", "getaddrinfo EAI_AGAIN {host}"), *_one("Error", "getaddrinfo ENOTFOUND {host}")),
    },
    "dns@postgres": {
        "python": _one("sqlalchemy.exc.OperationalError", '(psycopg2.OperationalError) could not translate host name "{host}" to address: Temporary failure in name resolution'),
        "java": (
            (
                ("org.springframework.jdbc.CannotGetJdbcConnectionException", "Failed to obtain JDBC Connection"),
                ("org.postgresql.util.PSQLException", "The connection attempt failed."),
                ("java.net.UnknownHostException", "{host}"),
            ),
        ),
        "go": _one("*pgconn.ConnectError", "failed to connect to `user=inventory`: hostname resolving error: lookup {host} on {resolver}:53: server misbehaving"),
        "node": _one("Error", "getaddrinfo EAI_AGAIN {host}"),
    },
    "dns@redis": {
        "python": _one("redis.exceptions.ConnectionError", "Error -3 connecting to {host}:6379. Temporary failure in name resolution."),
        "go": _one("*net.DNSError", "dial tcp: lookup {host} on {resolver}:53: server misbehaving"),
        "node": _one("Error", "getaddrinfo EAI_AGAIN {host}"),
    },
    "no_route": {
        "python": (*_one("httpx.ConnectTimeout", "timed out"), *_one("httpx.ConnectError", "[Errno 113] No route to host")),
        "java": (
            ((_JAVA_IO, _POST + "No route to host"), ("java.net.NoRouteToHostException", "No route to host")),
            ((_JAVA_IO, _POST + "HTTP connect timed out"), ("java.net.http.HttpConnectTimeoutException", "HTTP connect timed out")),
        ),
        "go": _one("*net.OpError", "dial tcp {ip}:{port}: connect: no route to host", "dial tcp {ip}:{port}: i/o timeout"),
        "node": (*_one("Error", "connect EHOSTUNREACH {ip}:{port}"), *_one("Error", "connect ETIMEDOUT {ip}:{port}")),
    },
    "no_route@postgres": {
        "python": _one("sqlalchemy.exc.OperationalError", '(psycopg2.OperationalError) connection to server at "{host}" ({ip}), port 5432 failed: No route to host', '(psycopg2.OperationalError) connection to server at "{host}" ({ip}), port 5432 failed: Connection timed out'),
        "java": (
            (
                ("org.springframework.jdbc.CannotGetJdbcConnectionException", "Failed to obtain JDBC Connection"),
                ("org.postgresql.util.PSQLException", "The connection attempt failed."),
                ("java.net.SocketTimeoutException", "Connect timed out"),
            ),
        ),
        "go": _one("*pgconn.ConnectError", "failed to connect to `user=inventory`: {ip}:5432 ({host}): dial error: timeout: context deadline exceeded"),
        "node": _one("Error", "connect ETIMEDOUT {ip}:5432"),
    },
    "no_route@redis": {
        "python": _one("redis.exceptions.TimeoutError", "Timeout connecting to server"),
        "go": _one("*net.OpError", "dial tcp {ip}:6379: i/o timeout"),
        "node": _one("Error", "connect ETIMEDOUT {ip}:6379"),
    },
    "tls_expired": {
        "python": _one("httpx.ConnectError", "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired (_ssl.c:1006)"),
        "java": (
            (
                (_JAVA_IO, _POST + "PKIX path validation failed: java.security.cert.CertPathValidatorException: validity check failed"),
                ("javax.net.ssl.SSLHandshakeException", "PKIX path validation failed: java.security.cert.CertPathValidatorException: validity check failed"),
                ("java.security.cert.CertificateExpiredException", "NotAfter: {not_after}"),
            ),
        ),
        "go": _one("*tls.CertificateVerificationError", "tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time {now} is after {not_after}"),
        "node": _one("Error", "certificate has expired"),
    },
    "pool_timeout": {
        "python": _one("sqlalchemy.exc.TimeoutError", "QueuePool limit of size {size} overflow 0 reached, connection timed out, timeout {seconds}.00 (Background on this error at: https://sqlalche.me/e/20/3o7r)"),
        "java": (
            (
                ("org.springframework.jdbc.CannotGetJdbcConnectionException", "Failed to obtain JDBC Connection"),
                ("java.sql.SQLTransientConnectionException", "HikariPool-1 - Connection is not available, request timed out after {ms}ms (total={size}, active={size}, idle=0, waiting={waiting})"),
            ),
            (
                ("org.springframework.dao.DataAccessResourceFailureException", "Unable to acquire JDBC Connection"),
                ("java.sql.SQLTransientConnectionException", "HikariPool-1 - Connection is not available, request timed out after {ms}ms."),
            ),
        ),
        "go": _one("*errors.errorString", "acquire connection: context deadline exceeded (max_conns={size}, acquired={size})", "pgxpool: no connection available within {seconds}s"),
        "node": _one("Error", "timeout exceeded when trying to connect"),
    },
    "db_error": {
        "python": (
            (("sqlalchemy.exc.{sqlalchemy}", "(psycopg2.errors.{condition}) {message}"), ("psycopg2.errors.{condition}", "{message}")),
            (("sqlalchemy.exc.{sqlalchemy}", "(psycopg2.errors.{condition}) {message}"),),
        ),
        "java": ((("org.springframework.{spring}", "PreparedStatementCallback; SQL [{sql}]; ERROR: {message}"), ("org.postgresql.util.PSQLException", "ERROR: {message}")),),
        "go": _one("*pgconn.PgError", "ERROR: {message} (SQLSTATE {sqlstate})"),
        "node": _one("error", "{message}"),
    },
    "query_timeout": {
        "python": (
            (("sqlalchemy.exc.OperationalError", "(psycopg2.errors.QueryCanceled) canceling statement due to statement timeout"), ("psycopg2.errors.QueryCanceled", "canceling statement due to statement timeout")),
        ),
        "java": (
            (("org.springframework.dao.QueryTimeoutException", "PreparedStatementCallback; SQL [{sql}]; ERROR: canceling statement due to statement timeout"), ("org.postgresql.util.PSQLException", "ERROR: canceling statement due to statement timeout")),
        ),
        "go": _one("*pgconn.PgError", "ERROR: canceling statement due to statement timeout (SQLSTATE 57014)"),
        "node": _one("error", "canceling statement due to statement timeout"),
    },
    "login_refused": {
        "python": _one("sqlalchemy.exc.OperationalError", '(psycopg2.OperationalError) connection to server at "{host}" ({ip}), port 5432 failed: FATAL:  {message}'),
        "java": (
            (
                ("org.springframework.jdbc.CannotGetJdbcConnectionException", "Failed to obtain JDBC Connection"),
                ("org.postgresql.util.PSQLException", "FATAL: {message}"),
            ),
        ),
        "go": _one("*pgconn.ConnectError", "failed to connect to `user=inventory database={service}`: server error: FATAL: {message} (SQLSTATE {sqlstate})"),
        "node": _one("error", "{message}"),
    },
    "redis_error": {
        "python": _one("redis.exceptions.{redis}", "{message}"),
        "java": _one("io.lettuce.core.RedisCommandExecutionException", "{message}"),
        "go": _one("proto.RedisError", "{message}"),
        "node": _one("ReplyError", "{message}"),
    },
    "answer": {
        "python": _one("httpx.HTTPStatusError", "Client error '{status} {reason}' for url 'http://{host}:{port}/'"),
        "java": _one("org.springframework.web.client.HttpClientErrorException${exception}", '{status} {reason}: "{body}"'),
        "go": _one("*client.StatusError", "unexpected status {status} {reason}"),
        "node": (*_one("Error", "{reason}"), *_one("ResponseError", "{status} {reason}")),
    },
    "bad_status": {
        "python": (
            *_one("httpx.HTTPStatusError", "Server error '{status} Internal Server Error' for url 'http://{host}:{port}/internal'"),
            *_one("{service}.errors.UpstreamError", "upstream answered {status}"),
        ),
        "java": _one("org.springframework.web.client.HttpServerErrorException", "{status} from {host}"),
        "go": _one("*client.StatusError", "{peer}: unexpected status {status}"),
        "node": _one("Error", "Request failed with status code {status}"),
    },
    "too_many_files": {
        "python": (
            *_one("httpx.ConnectError", "[Errno 24] Too many open files"),
            *_one("OSError", "[Errno 24] Too many open files"),
        ),
        "java": (((_JAVA_IO, _POST + "Too many open files"), ("java.net.SocketException", "Too many open files")),),
        "go": _one("*net.OpError", "dial tcp {ip}:{port}: socket: too many open files"),
        "node": _one("Error", "connect EMFILE {ip}:{port}"),
    },
}  # fmt: skip
"""Wording by condition and runtime."""
