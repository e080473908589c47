from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import boto3
import pytest
from services.aws_server import REGION, AwsServer

from cali.main import run
from core.errors import ConfigError, PermanentError, RetryableError
from eval.simulator.senders import sender, to_http, to_kinesis


class Pauses:
    """Counts the seconds that a sender would have slept."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


class Receiver(HTTPServer):
    """Takes requests; answers with the replies it was given (status, body), then 200 and `otherwise`."""

    def __init__(self, replies: list[tuple[int, object]], otherwise: object = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.replies = replies
        self.otherwise = otherwise
        self.bodies: list[str] = []
        self.types: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/logs"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        status, reply = self.server.replies.pop(0) if self.server.replies else (200, self.server.otherwise)
        if status == 200:
            self.server.bodies.append(body)
            self.server.types.append(self.headers["Content-Type"])
        encoded = json.dumps(reply).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver([])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("target", ["ftp://x", "logs.txt", "kinesis://", "kinesis://logs/shard", "kinesis://x?a=1"])
def test_other_targets_are_refused(target: str) -> None:
    with pytest.raises(ConfigError, match="http"):
        sender(target, io.StringIO())


def test_batches_are_posted_as_ndjson_and_tried_again(receiver: Receiver) -> None:
    receiver.replies = [(503, None), (429, None)]
    pauses = Pauses()
    to_http(receiver.url, pauses)(['{"a": 1}', '{"a": 2}'])
    assert receiver.bodies == ['{"a": 1}\n{"a": 2}\n']
    assert receiver.types == ["application/x-ndjson"]
    assert len(pauses.seconds) == 2 and pauses.seconds[1] > pauses.seconds[0] > 0


def test_a_refusal_is_permanent_and_a_dead_server_is_not(receiver: Receiver) -> None:
    pauses = Pauses()
    receiver.replies = [(401, None)]
    with pytest.raises(PermanentError, match="401"):
        to_http(receiver.url, pauses)(["{}"])
    assert pauses.seconds == []
    receiver.replies = [(500, None)] * 10
    with pytest.raises(RetryableError, match="took no lines"):
        to_http(receiver.url, pauses)(["{}"])
    with pytest.raises(RetryableError, match="took no lines"):
        to_http("http://127.0.0.1:9/x", pauses)(["{}"])


def _records(stream: str) -> list[tuple[str, str]]:
    """Partition key and data of every record of a stream, shard by shard in order."""
    client = boto3.client("kinesis")
    records = []
    for shard in client.list_shards(StreamName=stream)["Shards"]:
        iterator = client.get_shard_iterator(
            StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        found = client.get_records(ShardIterator=iterator)["Records"]
        records += [(record["PartitionKey"], record["Data"].decode()) for record in found]
    return records


@pytest.mark.integration
def test_a_stream_arrives_in_kinesis_whole_and_each_service_in_order(
    aws: AwsServer, capsys: pytest.CaptureFixture[str]
) -> None:
    boto3.client("kinesis").create_stream(StreamName="shop-logs", ShardCount=3)
    command = ["simulate", "--stream", "kinesis://shop-logs", "--rate", "60", "--duration", "2", "--seed", "5"]
    assert run(command) == 0
    sent = int(capsys.readouterr().err.split()[0].replace(",", ""))
    records = _records("shop-logs")
    assert len(records) == sent > 60
    by_service: dict[str, list[str]] = {}
    for key, data in records:
        line = json.loads(data)
        assert data.endswith("\n") and key == line["service"] and line["message"]
        by_service.setdefault(key, []).append(line["timestamp"])
    assert len(by_service) > 2
    assert all(times == sorted(times) for times in by_service.values())


@pytest.mark.integration
def test_region_and_endpoint_may_stand_in_the_address(aws: AwsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    boto3.client("kinesis").create_stream(StreamName="named", ShardCount=1)
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    target = f"kinesis://named?region={REGION}&endpoint={aws.url}"
    to_kinesis(target)(['{"service": "payment", "message": "a"}'])
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    assert _records("named") == [("payment", '{"service": "payment", "message": "a"}\n')]


@pytest.mark.integration
def test_a_stream_that_does_not_exist_is_named(aws: AwsServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulate", "--stream", "kinesis://absent", "--rate", "20", "--duration", "1"]) == 3
    assert "no Kinesis stream absent" in capsys.readouterr().err


def test_a_missing_region_or_key_is_a_wrong_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(ConfigError, match="AWS_DEFAULT_REGION"):
        to_kinesis("kinesis://logs")
    with pytest.raises(ConfigError, match="AWS credentials"):
        to_kinesis(f"kinesis://logs?region={REGION}")
    with pytest.raises(ConfigError, match="AWS client"):
        to_kinesis(f"kinesis://logs?region={REGION}&endpoint=nonsense")


def _target(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    return f"kinesis://logs?region={REGION}&endpoint={receiver.url}"


def _reply(*codes: str | None) -> dict[str, Any]:
    """Kinesis' answer to PutRecords: one outcome per record, its error code or None."""
    taken: dict[str, Any] = {"SequenceNumber": "1", "ShardId": "shardId-000000000000"}
    outcomes = [taken if code is None else {"ErrorCode": code, "ErrorMessage": "slow down"} for code in codes]
    return {"FailedRecordCount": sum(code is not None for code in codes), "Records": outcomes}


_LINES = [f'{{"service": "s{number}", "message": "m"}}' for number in range(3)]


def test_only_records_that_a_shard_did_not_take_are_put_again(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = "ProvisionedThroughputExceededException"
    receiver.replies = [
        (200, _reply(None, busy, busy)),
        (400, {"__type": busy, "message": "slow down"}),
        (500, {"__type": "InternalFailure"}),
        (200, _reply(busy, busy)),
        (200, _reply(None, None)),
    ]
    pauses = Pauses()
    to_kinesis(_target(receiver, monkeypatch), pauses)(_LINES)
    keys = [[record["PartitionKey"] for record in json.loads(body)["Records"]] for body in receiver.bodies]
    assert keys == [["s0", "s1", "s2"], ["s1", "s2"], ["s1", "s2"]]
    assert len(pauses.seconds) == 4 and receiver.replies == []


def test_kinesis_that_refuses_or_never_recovers_ends_the_stream(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = to_kinesis(_target(receiver, monkeypatch), Pauses())
    receiver.replies = [(400, {"__type": "AccessDeniedException", "message": "no"})]
    with pytest.raises(PermanentError, match="AccessDeniedException"):
        send(_LINES)
    receiver.replies = [(200, _reply(None, "KMSDisabledException", None))]
    with pytest.raises(PermanentError, match="KMSDisabledException"):
        send(_LINES)
    receiver.replies = [(503, {"__type": "ServiceUnavailable"})] * 6
    with pytest.raises(RetryableError, match="took no lines in 6 tries"):
        send(_LINES)
    with pytest.raises(RetryableError, match="took no lines"):
        to_kinesis(f"kinesis://logs?region={REGION}&endpoint=http://127.0.0.1:9", Pauses())(_LINES)
