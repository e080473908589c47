"""Kubernetes text: described objects, events, and the causes that follow from them."""

from __future__ import annotations

import pytest

from core import severity as levels
from core.domain import Citation, SuspectKind
from core.testing import MemoryLog, record
from rag.kubernetes import Line, listed_events, objects, workload
from rag.suspects import rank
from rag.suspects.objects import subject

POD = """\
Name:             web-7d9f8bc5d4-x2k4j
Namespace:        shop
Service Account:  default
Controlled By:    ReplicaSet/web-7d9f8bc5d4
Status:           {status}
IPs:              <none>
Containers:
  main:
    Image:      shop/web:1.4
    {extra}
    State:          {state}
      Reason:       {reason}
    Last State:     Terminated
      Reason:       {last}
      Exit Code:    {code}
    Ready:          False
    Restart Count:  7
    Limits:
      memory:  64Mi
    Requests:
      nvidia.com/gpu:  2
    Environment:  <none>
Node-Selectors:  {selector}
Events:
  Type     Reason   Age                 From     Message
  ----     ------   ----                ----     -------
  Warning  {event}  32s (x6 over 77s)   kubelet  {message}
"""


def dump(**values: str) -> str:
    defaults = {
        "status": "Running", "extra": "Port: <none>", "state": "Waiting", "reason": "CrashLoopBackOff", "last": "Error",
        "code": "1", "selector": "<none>", "event": "BackOff", "message": "Back-off restarting failed container main",
    }  # fmt: skip
    return POD.format(**{**defaults, **values})


def ranked(text: str, *, beside: str = "") -> tuple[MemoryLog, list]:  # type: ignore[type-arg]  # suspects, best first
    lines = [line for line in f"{beside}{text}".split("\n") if line.strip()]
    log = MemoryLog(tuple(record(line, number, severity=levels.WARN) for number, line in enumerate(lines, 1)))
    incident = log.incident()
    return log, list(rank(incident, log.detection(incident)).suspects)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("web-7d9f8bc5d4-x2k4j", "web"),
        ("payment-processing-worker-747ccfb9db-78qds", "payment-processing-worker"),
        ("redis-0", "redis"),
        ("get-data-mldtn", "get-data"),
        ("logging-agent", "logging-agent"),
        ("web", "web"),
    ],
)
def test_the_workload_of_a_pod(name: str, expected: str) -> None:
    assert workload(name) == expected


@pytest.mark.parametrize(
    ("values", "fault_type", "words"),
    [
        ({"last": "OOMKilled", "code": "137"}, "out_of_memory", ("OOMKilled", "64Mi", "137")),
        ({"reason": "ImagePullBackOff", "last": "", "code": ""}, "image_pull_failure", ("shop/web:1.4",)),
        ({"extra": 'Args: test -n "${DEPLOY_ENV}" || exit 1'}, "missing_env_var", ("DEPLOY_ENV",)),
        (
            {"status": "Pending", "event": "FailedScheduling", "selector": "disk=ssd",
             "message": "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector."},
            "unschedulable", ("disk=ssd",),
        ),
        (
            {"status": "Pending", "event": "FailedScheduling",
             "message": "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."},
            "unschedulable", ("nvidia.com/gpu", "2"),
        ),
        (
            {"event": "FailedMount",
             "message": 'MountVolume.SetUp failed for volume "cfg": configmap "web-cfg" not found'},
            "bad_config", ("web-cfg",),
        ),
    ],
)  # fmt: skip
def test_a_described_pod_gives_its_cause(values: dict[str, str], fault_type: str, words: tuple[str, ...]) -> None:
    log, suspects = ranked(dump(**values))
    best = suspects[0]
    assert (best.service, best.component, best.fault_type) == ("web", "deployment/web", fault_type)
    for word in words:
        assert word in best.cause
    for entry in best.evidence:
        assert log.read([entry.citation])[entry.citation].line == entry.text


def test_a_crash_loop_gives_way_to_what_the_container_wrote() -> None:
    _, suspects = ranked(dump(), beside="certificate has expired on 2024-08-03\n")
    assert suspects[0].fault_type == "certificate_expired"
    assert suspects[0].service == "web"
    assert "crash_loop" in {each.fault_type for each in suspects}


def test_conditions_that_are_fine_are_no_cause() -> None:
    _, suspects = ranked("MemoryPressure   False   KubeletHasSufficientMemory\nNo logs found for this pod\n")
    assert all(each.score < 0.3 for each in suspects)


def test_a_full_node_is_named_with_its_room() -> None:
    node = """\
Name:               ip-10-0-0-7
Roles:              <none>
Unschedulable:      false
Allocatable:
  cpu:   2
  pods:  17
Non-terminated Pods:          (17 in total)
Events:              <none>
"""
    _, suspects = ranked(node)
    assert (suspects[0].kind, suspects[0].component) == (SuspectKind.EXHAUSTION, "node/ip-10-0-0-7")
    assert "too many pods" in suspects[0].cause


def test_listed_events_and_counts() -> None:
    text = "3m30s (x256 over 58m)   Warning   BackOff   Pod/web-7d9f8bc5d4-x2k4j   Back-off restarting failed container"
    (event,) = listed_events([Line(Citation("k", 1), text)])
    assert (event.reason, event.object, event.count, event.warning) == (
        "BackOff",
        "pod/web-7d9f8bc5d4-x2k4j",
        256,
        True,
    )


def test_a_description_ends_where_other_text_begins() -> None:
    lines = [*dump().split("\n"), "2026-03-02 10:00:00 INFO something else"]
    (found,) = objects([Line(Citation("k", number), line) for number, line in enumerate(lines, 1)])
    assert found.lines[-1].text.strip().startswith("Warning")


@pytest.mark.parametrize(
    ("text", "component", "service"),
    [
        (
            '"Event occurred" object="shop/web-7d9f8bc5d4-x2k4j" fieldPath="" kind="Pod" reason="Unhealthy"',
            "deployment/web",
            "web",
        ),
        (
            '{"reason":"BackOff","involvedObject":{"kind":"Pod","namespace":"s","name":"redis-0"}}',
            "statefulset/redis",
            "redis",
        ),
        ('level=info msg="configmap/web-config configured" app=web kind=ConfigMap', "configmap/web-config", "web"),
        ("Scaled up replica set web-7d9f8bc5d4 to 1 from 0", "deployment/web", "web"),
        ('msg="Initiated automated sync" app=web image=registry/web:1.23.0', "deployment/web", "web"),
        ("Node ip-10-0-0-7 status is now: NodeNotReady", "node/ip-10-0-0-7", None),
    ],
)
def test_the_object_that_an_event_is_about(text: str, component: str, service: str | None) -> None:
    assert subject(text) == (component, service)
