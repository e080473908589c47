"""What servers, storage and cluster managers say of themselves is read, each message in its product's words."""

from __future__ import annotations

import pytest

from rag.suspects.reading import read

READ = [
    ("OutOfMemoryError: unable to create new native thread", "thread_pool_exhaustion"),
    ("Container killed by YARN for exceeding memory limits. 3.1 GB of 3 GB used", "out_of_memory"),
    ("[parent] Data too large, data for [<http_request>] would be [99/99b], larger than the limit", "out_of_memory"),
    ("[gc][77] overhead, spent [4.2s] collecting in the last [4.9s]", "memory_leak"),
    ("Shutdown broker because all log dirs in /srv/log have failed", "disk_full"),
    ("etcdserver: mvcc: database space exceeded", "disk_full"),
    ("overall HEALTH_ERR 2 full osd(s); 1 pool(s) full", "disk_full"),
    ("md/raid1:md4: Disk failure on sdd2, disabling device.", "data_corruption"),
    ("Device: /dev/sde [SAT], 8 Currently unreadable (pending) sectors", "data_corruption"),
    ("page verification failed, calculated checksum 17 but expected 19", "data_corruption"),
    ("slow fdatasync took 3.1s", "dependency_slow"),
    ("listen tcp :7070: bind: address already in use", "bad_config"),
    ("unknown variable 'bufer_size=9'", "bad_config"),
    ("768 worker_connections are not enough", "connection_pool_exhaustion"),
    ("ERR max number of clients reached", "connection_pool_exhaustion"),
    ("rejected execution of bulk on EsThreadPoolExecutor[queue capacity = 50]", "thread_pool_exhaustion"),
    ("Server be/web4 is DOWN, reason: Layer4 timeout, check duration: 2001ms", "dependency_down"),
    ("backend be has no server available!", "dependency_down"),
    ("Can't contact LDAP server (-1)", "dependency_down"),
    ('error="No cluster leader" in a call of the catalog', "dependency_down"),
    ("limiting requests, excess: 9.5 by zone", "rate_limited"),
    ("node-left[{es-9}{q} reason: followers check failed]", "node_not_ready"),
    ("memberlist: Marking db-9 as failed, suspect timeout reached", "node_not_ready"),
    ("ExecutorLostFailure: Executor heartbeat timed out after 9 ms", "node_not_ready"),
    ("InsufficientInstanceCapacity: we do not have sufficient capacity", "unschedulable"),
    ("CannotPullContainerError: failed to resolve ref registry.lan/web:3", "image_pull_failure"),
    ("Clock skew too great while getting initial credentials", "clock_skew"),
    ("Access denied for user 'etl'@'10.1.1.1' (using password: YES)", "credential_expired"),
    ("[sshd] Ban 198.51.100.9", "brute_force"),
    ("The scheduler does not appear to be running. Last heartbeat was received 9 minutes ago.", "heartbeat_missing"),
    ("READONLY You can't write against a read only replica.", "cache_failure"),
    ("mail queue has 4711 deferred messages", "queue_backlog"),
    ("fork: retry: Resource temporarily unavailable", "thread_pool_exhaustion"),
    ("VFS: file-max limit 4096 reached", "file_descriptor_exhaustion"),
    ("PHP Fatal error:  Allowed memory size of 64 bytes exhausted (tried to allocate 80 bytes)", "out_of_memory"),
    ("disk resource limit alarm set on node 'rabbit@bus-1'.", "disk_full"),
    ("BlockMissingException: Could not obtain block: BP-9:blk_9", "data_corruption"),
    ("Member worker-2 in group mails has failed, removing it from the group", "heartbeat_missing"),
    ("Agent healthcheck: found 2 dead agents out of 9", "heartbeat_missing"),
    ('avc:  denied  { write } for  pid=9 comm="httpd"', "permission_denied"),
    ("CLUSTERDOWN The cluster is down", "dependency_down"),
    ("%LINK-3-UPDOWN: Interface Gi0/9, changed state to down", "network_partition"),
    ("%BGP-5-ADJCHANGE: neighbor 10.9.9.9 Down hold time expired", "network_partition"),
    ("web.service: Start request repeated too quickly.", "crash_loop"),
    ("Could not find a version that satisfies the requirement basket==9", "version_mismatch"),
    ("Input required and not supplied: registry", "missing_env_var"),
    ("Unable to allocate inventory: VCPU over capacity, insufficient resources", "unschedulable"),
    ("using degraded feature set for DNS server 10.9.9.9: dns lookup timed out", "dns_failure"),
]


@pytest.mark.parametrize(("text", "fault_type"), READ)
def test_a_message_of_a_product_is_read(text: str, fault_type: str) -> None:
    reading = read(text)
    assert reading is not None
    assert reading.fault_type == fault_type


@pytest.mark.parametrize(
    "text",
    [
        "errors: 0 warnings: 0 in 12 files",
        "Removed 4 stale files from /tmp",
        "the shutdown of 3 workers is complete",
        "reached the end of the queue, nothing deferred",
    ],
)
def test_ordinary_words_are_not(text: str) -> None:
    assert read(text) is None
