"""Where a stream of lines goes: an open file, an HTTP address, a Kinesis stream."""

from __future__ import annotations

import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Sequence
from typing import IO, TYPE_CHECKING, Any, Final

import orjson

from core.errors import ConfigError, PermanentError, RetryableError

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

Send = Callable[[Sequence[str]], None]
"""Takes a batch of lines (envelopes, no line end) and returns once they are taken."""

TARGETS: Final = "- for standard output, an http(s) URL, or kinesis://STREAM[?region=REGION&endpoint=URL]"

_TRIES: Final = 6
_FIRST_PAUSE: Final = 0.2
"""Seconds."""
_PASSING: Final = frozenset(
    {
        "InternalFailure",
        "KMSThrottlingException",
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "ResourceInUseException",
        "ServiceUnavailable",
        "ThrottlingException",
    }
)
"""Codes of Kinesis' errors that may pass, of a request or of one record."""


def sender(target: str, out: IO[str]) -> Send:
    """The way to a target: `-` (the open file `out`), an http(s) URL or `kinesis://STREAM`.

    Raises ConfigError for any other, and where no AWS region or credentials are known.
    """
    if target == "-":
        return to_file(out)
    if target.startswith(("http://", "https://")):
        return to_http(target)
    if target.startswith("kinesis://"):
        return to_kinesis(target)
    raise ConfigError("--stream", target, TARGETS)


def to_file(out: IO[str]) -> Send:
    """Writes batches to an open text file, flushed, so that a pipe sees them at once."""

    def send(lines: Sequence[str]) -> None:
        out.write("".join(f"{line}\n" for line in lines))
        out.flush()

    return send


def to_http(url: str, sleep: Callable[[float], None] = time.sleep) -> Send:
    """Posts batches as NDJSON; 429, 5xx and broken connections are tried again with growing pauses.

    The returned function raises PermanentError where the server refuses, RetryableError where it does not recover.
    """

    def post(lines: Sequence[str]) -> Sequence[str]:
        body = "".join(f"{line}\n" for line in lines).encode()
        request = urllib.request.Request(url, body, {"Content-Type": "application/x-ndjson"}, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=10):
                return ()
        except urllib.error.HTTPError as exc:
            if exc.code != 429 and exc.code < 500:
                raise PermanentError(f"{url} refused the lines: HTTP {exc.code}; check the address") from exc
            raise RetryableError(str(exc)) from exc
        except OSError as exc:
            raise RetryableError(str(exc)) from exc

    return _persistent(url, post, sleep)


def to_kinesis(target: str, sleep: Callable[[float], None] = time.sleep) -> Send:
    """Puts lines as records into a Kinesis data stream, those of a service into one shard (its partition key).

    `target` is `kinesis://STREAM`; region, credentials and endpoint are found as the AWS command line finds them, or
    `?region=` and `?endpoint=` name them. Records that the stream did not take (a throttled shard) are put again,
    alone, after a pause. A call of the returned function takes at most 500 lines (Kinesis' limit of a request). Raises
    ConfigError where stream, region or credentials are missing; the returned function raises PermanentError where
    Kinesis refuses, RetryableError where it does not recover.
    """
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

    parts = urllib.parse.urlsplit(target)
    options = dict(urllib.parse.parse_qsl(parts.query))
    stream = parts.netloc
    if not stream or parts.path.strip("/") or options.keys() - {"region", "endpoint"}:
        raise ConfigError("--stream", target, TARGETS)
    # Whole requests are tried again here, like records, so that one count and one pause hold for both.
    config = Config(connect_timeout=10, read_timeout=10, retries={"total_max_attempts": 1})
    try:
        session = boto3.Session(region_name=options.get("region"))
        client = session.client("kinesis", endpoint_url=options.get("endpoint"), config=config)
    except NoRegionError as exc:
        raise ConfigError(
            "--stream", target, "an AWS region: set AWS_DEFAULT_REGION, or add ?region=eu-central-1"
        ) from exc
    except (BotoCoreError, ValueError) as exc:
        raise ConfigError("--stream", target, f"settings that the AWS client takes ({exc})") from exc
    if session.get_credentials() is None:
        raise ConfigError("--stream", target, "AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and its secret")

    def put(lines: Sequence[str]) -> Sequence[str]:
        records = [{"Data": f"{line}\n".encode(), "PartitionKey": _partition_key(line)} for line in lines]
        try:
            reply = client.put_records(StreamName=stream, Records=records)
        except ClientError as exc:
            raise _translated(exc, stream) from exc
        except BotoCoreError as exc:
            raise RetryableError(str(exc)) from exc
        return _not_taken(lines, reply["Records"], stream)

    return _persistent(f"Kinesis stream {stream}", put, sleep)


def _persistent(place: str, attempt: Callable[[Sequence[str]], Sequence[str]], sleep: Callable[[float], None]) -> Send:
    """Sends by `attempt`, which returns the lines that were not taken, until all are.

    Attempts that take nothing are followed by growing pauses, and by RetryableError after `_TRIES` of them in a row.
    Whatever else `attempt` raises passes.
    """
    from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

    def step(lines: Sequence[str]) -> Sequence[str]:
        left = attempt(lines)
        if left and len(left) == len(lines):
            raise RetryableError("it is busy")
        return left

    retrying = Retrying(
        retry=retry_if_exception_type(RetryableError),
        stop=stop_after_attempt(_TRIES),
        wait=wait_exponential(multiplier=_FIRST_PAUSE, max=5.0),
        sleep=sleep,
    )

    def send(lines: Sequence[str]) -> None:
        while True:
            try:
                lines = retrying(step, lines)
            except RetryError as exc:
                problem = exc.last_attempt.exception()
                raise RetryableError(f"{place} took no lines in {_TRIES} tries: {problem}") from problem
            if not lines:
                return
            sleep(_FIRST_PAUSE)

    return send


def _partition_key(line: str) -> str:
    """The service of an envelope: Kinesis keeps the order of records of one key."""
    return str(orjson.loads(line)["service"])


def _not_taken(lines: Sequence[str], outcomes: Sequence[dict[str, Any]], stream: str) -> list[str]:
    """The lines whose record may be put again. Raises PermanentError for one that would be refused again."""
    left = []
    for line, outcome in zip(lines, outcomes, strict=True):
        code = outcome.get("ErrorCode")
        if code is None:
            continue
        if code not in _PASSING:
            raise PermanentError(f"Kinesis stream {stream} refused a record: {code}: {outcome.get('ErrorMessage')}")
        left.append(line)
    return left


def _translated(error: ClientError, stream: str) -> Exception:
    """The error of a whole request as ours."""
    code = error.response["Error"]["Code"]
    detail = f"{code}: {error.response['Error'].get('Message', '')}"
    if code in _PASSING or error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
        return RetryableError(detail)
    if code == "ResourceNotFoundException":
        return PermanentError(f"there is no Kinesis stream {stream} in this account and region; create it first")
    return PermanentError(f"Kinesis stream {stream} refused the records: {detail}; check credentials and policy")
