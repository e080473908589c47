"""Faults of machines: which one it is, and whose trouble its kernel, its cluster or its broker tells of."""

from __future__ import annotations

import pytest

from core import severity as levels
from core.domain import LogRecord
from core.testing import MemoryLog, record
from rag.suspects import rank
from rag.suspects.names import machine_of, named

ONSET = 600.0
Told = tuple[str | None, str | None, str | None]


def plain(*trouble: LogRecord, services: tuple[str, ...] = ("billing", "search", "mysql")) -> MemoryLog:
    """Ten quiet minutes of services outside Kubernetes, then trouble."""
    lines: list[LogRecord] = []
    for second in range(0, 600, 5):
        lines += [
            record(f"served {second}", len(lines) + 1 + at, seconds=second, service=name)
            for at, name in enumerate(services)
        ]
    return MemoryLog((*lines, *trouble))


def failing(text: str, service: str | None, at: int, **fields: str) -> LogRecord:
    source = fields.pop("source", "app.log")
    return record(
        text, 10_000 + at, seconds=ONSET + at, service=service, severity=levels.ERROR, attributes=fields, source=source
    )


def first(log: MemoryLog) -> Told:
    incident = log.incident(ONSET)
    best = rank(incident, log.detection(incident)).suspects[0]
    return best.fault_type, best.service, best.component


FULL = "write /data/segment.7: no space left on device"


@pytest.mark.parametrize(
    ("fields", "component"),
    [
        ({"hostname": "store-4"}, "host/store-4"),
        ({"component": "billing/shard-12"}, "host/shard-12"),
        ({"component": "billing/billing-writer-vm-31"}, "host/vm-31"),
    ],
)
def test_a_full_disk_is_that_of_the_machine_that_tells_of_it(fields: dict[str, str], component: str) -> None:
    moved = record("moved shard 9 to node vm-31", 9_999, seconds=ONSET + 9, service="search", severity=levels.ERROR)
    log = plain(*(failing(FULL, "billing", at, **fields) for at in range(3)), moved)
    assert first(log) == ("disk_full", "billing", component)


def test_where_the_record_names_no_machine_the_one_that_failures_name_most_is_it() -> None:
    others = [
        failing("3 failures on node rack2-w07", "search", 3),
        failing("excluded host rack2-w07", "search", 4),
        failing("3 failures on node rack2-w11", "search", 5),
    ]
    assert first(plain(*(failing(FULL, "billing", at) for at in range(3)), *others)) == (
        "disk_full",
        "billing",
        "node/rack2-w07",
    )


def test_a_kill_of_the_kernel_is_told_of_the_process() -> None:
    lines = (
        "tar invoked oom-killer: gfp_mask=0x1100cca, order=0, oom_score_adj=0",
        "oom-kill:constraint=CONSTRAINT_NONE,task_memcg=/system.slice/ledger.service,task=ledgerd,pid=81,uid=9",
        "Out of memory: Killed process 81 (ledgerd) total-vm:88000kB, anon-rss:72000kB, UID:112 pgtables:14kB",
    )
    told = [failing(text, "kernel", at, host="bank-2") for at, text in enumerate(lines)]
    unit = failing("ledger.service: Failed with result 'oom-kill'.", "systemd", 4, host="bank-2")
    assert first(plain(*told, unit)) == ("out_of_memory", "ledgerd", "host/bank-2")


def test_an_interpreter_is_no_program_its_unit_is() -> None:
    text = "oom-kill:constraint=CONSTRAINT_NONE,task_memcg=/system.slice/forecast.service,task=python3,pid=7,uid=9"
    log = plain(*(failing(text, "kernel", at, host="calc-1") for at in range(3)))
    assert first(log) == ("out_of_memory", "forecast", "host/calc-1")


def test_a_disk_that_cannot_be_read_is_the_cause_of_a_file_system_that_cannot_be_written() -> None:
    kernel = (
        "blk_update_request: I/O error, dev nvme1n1, sector 90112 op 0x0:(READ) flags 0x80700",
        "EXT4-fs error (device nvme1n1p1): ext4_find_entry:1531: inode #2: comm mysqld: reading directory lblock 0",
        "EXT4-fs (nvme1n1p1): Remounting filesystem read-only",
    )
    told = [failing(text, "kernel", at, host="vault-9") for at, text in enumerate(kernel)]
    written = [failing("could not write /var/lib/x: Read-only file system", "mysql", 5 + at) for at in range(3)]
    assert first(plain(*told, *written)) == ("data_corruption", "kernel", "host/vault-9")


def test_a_lost_node_is_named_by_those_who_ran_on_it() -> None:
    loggers = {"logger": "org.apache.hadoop.mapreduce.v2.app.rm.RMContainerAllocator", "source": "run-7.log"}
    told = [
        failing("Killing attempt_9 because it is running on unusable node:blade-5:45454", "run", at, **loggers)
        for at in range(3)
    ]
    assert first(plain(*told)) == ("node_not_ready", "yarn", "node/blade-5")


def test_a_broker_whose_memory_alarm_is_set_is_out_of_memory() -> None:
    told = [
        failing("vm_memory_high_watermark set. Memory used:990 allowed:980", "rabbitmq", 0),
        failing("memory resource limit alarm set on node 'rabbit@bus-2'.", "rabbitmq", 1),
    ]
    assert first(plain(*told)) == ("out_of_memory", "rabbitmq", "node/rabbit@bus-2")


def test_guessed_passwords_are_tried_on_a_machine() -> None:
    tries = (f"Failed password for root from 198.51.100.7 port {4000 + at} ssh2" for at in range(120))
    log = plain(*(failing(text, "sshd", at, host="jump-1") for at, text in enumerate(tries)))
    assert first(log) == ("brute_force", "sshd", "host/jump-1")


def test_a_machine_that_nothing_reaches_is_cut_off_rather_than_lost() -> None:
    lost = [failing("lost heartbeat from datanode-8: removed from the map", "hdfs", at) for at in range(2)]
    cut = [
        failing("NoRouteToHostException: No Route to Host from datanode-8/10.7.0.8 to master:8020", "hdfs", 2 + at)
        for at in range(2)
    ]
    assert first(plain(*lost, *cut)) == ("network_partition", "hdfs", "node/datanode-8")


def test_an_agent_of_a_node_tells_of_the_node() -> None:
    text = 'Skipping pod synchronization err="PLEG is not healthy: last seen active 3m ago"'
    assert first(plain(*(failing(text, "kubelet", at, host="pool-a-7") for at in range(3)))) == (
        "node_not_ready",
        "kubelet",
        "node/pool-a-7",
    )


@pytest.mark.parametrize(
    ("text", "service", "expected"),
    [
        (
            "ticketd[712]: segfault at 0 ip 7f sp 7f error 4 in libc.so",
            "kernel",
            ("code_defect", "ticketd", "host/m-3"),
        ),
        (
            'audit: avc:  denied  { write } for  pid=7 comm="ticketd"',
            "kernel",
            ("permission_denied", "ticketd", "host/m-3"),
        ),
        ("igb eth0: NIC Link is Down", "kernel", ("network_partition", "kernel", "host/m-3")),
        ("nfs: server filer-1 not responding", "kernel", ("dependency_down", "kernel", "host/filer-1")),
        (
            "Server pool/shop-2 is DOWN, reason: Layer4 timeout",
            "haproxy",
            ("dependency_down", "haproxy", "host/shop-2"),
        ),
        ("memberlist: Marking shop-9 as failed", "consul", ("node_not_ready", "consul", "node/shop-9")),
        ("server reached MaxRequestWorkers setting", "apache2", ("thread_pool_exhaustion", "apache2", "host/m-3")),
    ],
)
def test_the_machine_is_the_one_named_else_the_one_that_the_header_names(
    text: str, service: str, expected: Told
) -> None:
    assert first(plain(*(failing(text, service, at, host="m-3") for at in range(3)))) == expected


def test_a_driver_names_the_machine_of_its_database() -> None:
    text = "(2003, \"Can't connect to MySQL server on 'vault-3' (111)\")"
    log = plain(*(failing(text, service, at) for at, service in enumerate(("billing", "search"))), services=("api",))
    assert first(log) == ("dependency_down", "mysql", "host/vault-3")


def test_a_product_called_on_a_machine_is_the_product() -> None:
    text = "AMQP server on infra7:5672 is unreachable: connection refused. Trying again in 2 seconds"
    log = plain(*(failing(text, service, at) for at, service in enumerate(("billing", "search"))))
    assert first(log) == ("dependency_down", "rabbitmq", "host/infra7")
    assert machine_of(text, "rabbitmq") == "infra7"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("cannot connect to orders-db:5432", ["orders-db"]),
        ("cannot connect to redis-cart:6379", ["redis-cart"]),
        ("killed task by uid:112 with pid:4711", []),
    ],
)
def test_a_host_called_by_its_role_is_a_service_and_a_number_is_none(text: str, names: list[str]) -> None:
    assert list(named(text, {"checkout"})) == names
