"""Resources at their capacity, as dumps print them."""

from __future__ import annotations

from pathlib import Path

import pytest
from detection_logs import analysed, write
from hypothesis import given
from hypothesis import strategies as st

from ingest.anomalies.capacity import full, quantity

NODE = """\
Name:               node-7
Capacity:
  cpu:                2
  pods:               110
Allocatable:
  cpu:                1930m
  pods:               {room}
Non-terminated Pods:          ({running} in total)
  Namespace  Name                 CPU Requests  CPU Limits  Memory Requests  Memory Limits  Age
  ---------  ----                 ------------  ----------  ---------------  -------------  ---
  shop       cart-6548bf479b-49wb  0 (0%)        0 (0%)      0 (0%)           0 (0%)         13d
Allocated resources:
  (Total limits may be over 100 percent, i.e., overcommitted.)
  Resource           Requests      Limits
  --------           --------      ------
  cpu                1139m (59%)   800m (41%)
  memory             {memory}  5418Mi (163%)
"""
POD = """\
Name:             report
Containers:
  app:
    State:          Running
    Limits:
      cpu:     {limit}
      memory:  64Mi
    Requests:
      cpu:        {limit}
"""
DISKS = """\
Filesystem      Size  Used Avail Use% Mounted on
/dev/root        62G   60G  1.2G  {root} /
tmpfs           3.9G     0  3.9G   0% /dev/shm
/dev/loop0       64M   64M     0 100% /snap/core20/1828
"""
NODES = """\
NAME     CPU(cores)   CPU%        MEMORY(bytes)   MEMORY%
node-a   {cpu}        3000Mi          40%
node-b   <unknown>    <unknown>   <unknown>       <unknown>
"""
SCALERS = """\
NAME   REFERENCE        TARGETS         MINPODS   MAXPODS   REPLICAS   AGE
web    Deployment/web   {load}/80%   2         10        10         5d
"""
QUOTA = """\
Name:            team
Resource         Used   Hard
--------         ----   ----
limits.cpu       {used}      4
requests.memory  1Gi    8192Mi
"""
PERIODS = "nr_periods {periods}\nnr_throttled {throttled}\nthrottled_time 12\n"
METRICS = """\
container_cpu_cfs_periods_total{{container="a"}} 1.2e+04
container_cpu_cfs_periods_total{{container="b"}} 1.2e+04
container_cpu_cfs_throttled_periods_total{{container="a"}} {throttled} 1395066363000
container_cpu_cfs_throttled_periods_total{{container="b"}} 10 1395066363000
"""


def node(room: int = 17, running: int = 5, memory: str = "2174Mi (65%)") -> str:
    return NODE.format(room=room, running=running, memory=memory)


@pytest.mark.parametrize(
    ("dump", "line", "words"),
    [
        (node(running=17), "Non-terminated Pods", "pods of node-7: 17 in use of 17"),
        (node(room=110, running=106), "Non-terminated Pods", "106 in use of 110"),
        (node(memory="3300Mi (100%)"), "  memory   ", "requested memory of node-7"),
        (POD.format(limit="10m"), "      cpu:     10m", "CPU limit of report"),
        (DISKS.format(root="98%"), "/dev/root", "file system /: 98%"),
        (NODES.format(cpu="1950m        98%"), "node-a", "CPU of node-a: 98%"),
        (SCALERS.format(load="cpu: 250%"), "web ", "replicas of web, at 250%"),
        (SCALERS.format(load="250%"), "web ", "10 in use of 10"),
        (QUOTA.format(used="4000m"), "limits.cpu", "quota of limits.cpu: 4000m in use of 4"),
        (PERIODS.format(periods=1000, throttled=900), "nr_throttled", "90 %"),
        (METRICS.format(throttled=11000), 'throttled_periods_total{container="a"}', '92 % of its CPU periods {cont'),
    ],
)  # fmt: skip
def test_what_is_at_its_capacity_is_found_at_its_line(dump: str, line: str, words: str) -> None:
    lines = dump.split("\n")
    found = full(lines)
    assert len(found) == 1
    assert line in lines[found[0].place]
    assert words in found[0].why


@pytest.mark.parametrize(
    "dump",
    [
        node(),
        node(room=500, running=72),
        node(memory="3300Mi (97%)"),
        POD.format(limit="300m"),
        DISKS.format(root="80%"),
        NODES.format(cpu="950m         48%"),
        SCALERS.format(load="cpu: 40%"),
        SCALERS.format(load="<unknown>"),
        QUOTA.format(used="3"),
        PERIODS.format(periods=1000, throttled=20),
        PERIODS.format(periods=10, throttled=9),
        METRICS.format(throttled=100),
    ],
)
def test_what_has_room_left_is_not(dump: str) -> None:
    assert full(dump.split("\n")) == []


def test_figures_belong_to_the_object_that_is_described() -> None:
    two = node(room=17, running=3) + node(room=8, running=8).replace("node-7", "node-8")
    assert [each.why for each in full(two.split("\n"))] == ["pods of node-8: 8 in use of 8, nothing is left"]


@pytest.mark.parametrize(
    ("text", "number"),
    [("250m", 0.25), ("64Mi", 67108864.0), ("4", 4.0), ("1.5G", 1.5e9), ("", None), ("<none>", None)],
)
def test_quantities(text: str, number: float | None) -> None:
    assert quantity(text) == number


@given(st.lists(st.sampled_from(f"{node()}{QUOTA}{DISKS}{SCALERS}{NODES}".split("\n")) | st.text(max_size=40)))
def test_no_text_breaks_it(lines: list[str]) -> None:
    assert all(0 <= each.place < len(lines) for each in full(lines))


def test_a_dump_of_a_full_node_is_an_incident_that_quotes_the_figure(tmp_path: Path) -> None:
    path = write(tmp_path / "node.txt", node(running=17).split("\n"))
    found = analysed(path).incidents
    assert len(found) == 1
    assert found[0].level == "warning"
    assert "17 in use of 17" in found[0].title
    assert [e.position for a in found[0].anomalies for e in a.examples] == [8]


def test_a_dump_of_a_node_with_room_is_none(tmp_path: Path) -> None:
    assert analysed(write(tmp_path / "node.txt", node().split("\n"))).incidents == ()
