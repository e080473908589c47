"""The checks and the remedy for each fault type: commands that only read, for the place where the fault happened.

`{...}` is filled in by `rag.next_steps`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rag.surroundings import Database, Platform


@dataclass(frozen=True, slots=True)
class Check:
    """One check. `text` says what for, with the command in backquotes; `on` where it helps (`rag.surroundings`)."""

    text: str
    on: tuple[Platform | Database, ...] = ()


_KUBERNETES: Final = (Platform.KUBERNETES,)
_HOST: Final = (Platform.HOST,)
_MACHINE: Final = (Platform.MACHINE,)
_MACHINES: Final = (Platform.HOST, Platform.MACHINE)
_BUILD: Final = (Platform.BUILD,)
_POSTGRES: Final = (Database.POSTGRES,)
_MYSQL: Final = (Database.MYSQL,)
_UNKNOWN: Final = (Database.UNKNOWN,)

_PSQL: Final = 'psql -c "select {0} from pg_stat_activity {1}"'
_OWN_LOG: Final = Check(
    "Read what {service} wrote last before it: `grep -n -i 'error\\|fatal\\|panic' {source} | tail -20`", _MACHINES
)
_RUNS: Final = (
    Check("See whether {host} runs: `kubectl get pods -A -o wide | grep {host}`", _KUBERNETES),
    Check("See whether {host} runs, and since when: `systemctl status {host}` and `journalctl -u {host} -n 50`", _HOST),
    Check("See whether {host} runs, and since when", _MACHINE),
)
_REACH: Final = (
    Check("Try to reach it from a caller: `kubectl exec {caller} -- nc -vz {address}`", _KUBERNETES),
    Check("Try to reach it from where it is called: `nc -vz {address}`", _MACHINES),
    Check("Try to reach it from the runner: `nc -vz {address}`", _BUILD),
)

CHECKS: Final[dict[str, tuple[Check, ...]]] = {
    "out_of_memory": (
        Check("Compare memory use with its limit: `kubectl top pod {pod} --containers`", _KUBERNETES),
        Check("Read what it wrote before it was killed: `kubectl logs {pod} --previous --tail=100`", _KUBERNETES),
        Check("See what uses the memory of {machine}: `ps aux --sort=-rss | head -15` and `free -m`", _MACHINES),
        Check("See what the kernel killed: `journalctl -k --grep 'out of memory|oom-kill'`", _HOST),
        Check("See what the runner has, and what the step may use (`NODE_OPTIONS`, `-Xmx`, the job's limit)", _BUILD),
    ),
    "memory_leak": (
        Check("Watch memory grow: `kubectl top pod -l app={service} --containers`", _KUBERNETES),
        Check("Watch memory grow: `ps -o pid,rss,etime,args -C {service}`, twice, some minutes apart", _MACHINES),
    ),
    "disk_full": (
        Check("See which file system is full: `kubectl exec {workload} -- df -h`", _KUBERNETES),
        Check(
            "Find what fills it: `kubectl exec {workload} -- sh -c 'du -xh / 2>/dev/null | sort -h | tail -20'`",
            _KUBERNETES,
        ),
        Check("See which file system of {machine} is full, of bytes or of inodes: `df -h` and `df -i`", _MACHINES),
        Check("Find what fills it: `du -xh <mount point> | sort -h | tail -20`", _MACHINES),
        Check("See what is left on the runner: `df -h` and `docker system df`", _BUILD),
    ),
    "cpu_saturation": (
        Check("Compare CPU use with its limit: `kubectl top pod {pod} --containers`", _KUBERNETES),
        Check("See what uses the processors of {machine}: `top -b -n1 | head -20` and `uptime`", _MACHINES),
    ),
    "connection_pool_exhaustion": (
        Check(
            "See who holds database connections: `"
            + _PSQL.format(
                "application_name, state, count(*), max(now()-state_change)", "group by 1, 2 order by 3 desc"
            )
            + "`",
            _POSTGRES,
        ),
        Check(
            'See who holds database connections: `mysql -e "select user, host, command, count(*), max(time) from '
            'information_schema.processlist group by 1, 2, 3 order by 4 desc"`',
            _MYSQL,
        ),
        Check(
            "See on the database who holds its connections, and for how long they idle (PostgreSQL: "
            "`pg_stat_activity`, MySQL: `show processlist`)",
            _UNKNOWN,
        ),
    ),
    "file_descriptor_exhaustion": (
        Check(
            "Count open files: `kubectl exec {workload} -- sh -c 'ls /proc/1/fd | wc -l; grep files /proc/1/limits'`",
            _KUBERNETES,
        ),
        Check(
            "Count open files: `ls /proc/<pid of {service}>/fd | wc -l` and `grep files /proc/<pid>/limits`", _MACHINES
        ),
    ),
    "thread_pool_exhaustion": (
        Check("Take a thread dump: `kubectl exec {workload} -- jstack 1` (JVM) or `py-spy dump --pid 1`", _KUBERNETES),
        Check("Take a thread dump of {service}: `jstack <pid>` (JVM) or `py-spy dump --pid <pid>`", _MACHINES),
    ),
    "dns_failure": (
        Check("Resolve the name from the pod: `kubectl exec {workload} -- nslookup {host}`", _KUBERNETES),
        Check("Look for refused look-ups: `kubectl logs -n kube-system -l k8s-app=kube-dns --tail=50`", _KUBERNETES),
        Check(
            "Resolve the name where it failed: `dig {host}`, and ask the other servers of `/etc/resolv.conf`", _MACHINES
        ),
        Check("See how the resolver is: `resolvectl status` and `journalctl -u systemd-resolved -n 50`", _HOST),
        Check("Resolve the name from the runner: `nslookup {host}`", _BUILD),
    ),
    "clock_skew": (
        Check(
            "Compare the clocks of {machine} and of a machine beside it: `chronyc tracking`, or `timedatectl "
            "timesync-status`"
        ),
        Check("See whether a time source is reachable: `chronyc sources -v`"),
    ),
    "connection_refused": (
        Check("See whether anything listens: `kubectl get endpoints {host}`", _KUBERNETES),
        Check("See whether anything listens on {address}, where it should run: `ss -ltnp`", _MACHINES),
        *_RUNS,
        *_REACH,
    ),
    "dependency_down": (*_RUNS, *_REACH),
    "dependency_slow": (
        Check("Look at {host} itself: `kubectl top pod -A | grep {host}`, and its log of that time", _KUBERNETES),
        Check("Look at {host} itself: its load (`uptime`, `iostat -x 1 5`), and its log of that time", _MACHINES),
        Check("Measure it from where it is called: `time curl -sS -o /dev/null http://{address}/`"),
    ),
    "slow_query": (
        Check(
            "List long-running queries: `"
            + _PSQL.format(
                "pid, now()-query_start as age, state, left(query, 120)",
                "where state <> 'idle' order by age desc limit 10",
            )
            + "`",
            _POSTGRES,
        ),
        Check(
            'List long-running queries: `mysql -e "select id, time, state, left(info, 120) from '
            "information_schema.processlist where command <> 'Sleep' order by time desc limit 10\"`",
            _MYSQL,
        ),
        Check("List the queries that run long on the database, and explain the slowest of them", _UNKNOWN),
        Check('Explain the slowest of them: `psql -c "explain (analyze, buffers) ..."` on a replica', _POSTGRES),
        Check('Explain the slowest of them: `mysql -e "explain ..."`', _MYSQL),
    ),
    "lock_contention": (
        Check(
            "See who blocks whom: `"
            + _PSQL.format(
                "pid, pg_blocking_pids(pid), wait_event_type, left(query, 120)",
                "where cardinality(pg_blocking_pids(pid)) > 0",
            )
            + "`",
            _POSTGRES,
        ),
        Check('See who blocks whom: `mysql -e "select * from sys.innodb_lock_waits\\G"`', _MYSQL),
        Check('See the last deadlock: `mysql -e "show engine innodb status\\G"`', _MYSQL),
        Check("See which sessions of the database wait for a lock, and who holds it", _UNKNOWN),
    ),
    "rate_limited": (Check("Find who sends the requests: `grep -c 429 {source}`, then by client and by path"),),
    "queue_backlog": (
        Check("See whether the consumers run, and how far behind they are: the lag by group and by partition or queue"),
        Check("Compare what arrives with what is done a minute: `cali templates diff` of the log before and during"),
    ),
    "cache_failure": (
        Check("Ask the cache how it is: `redis-cli -h {host} info memory` and `redis-cli -h {host} info stats`"),
    ),
    "certificate_expired": (
        Check(
            "Read the certificate's dates: `openssl s_client -connect {address} -servername {host} </dev/null "
            "2>/dev/null | openssl x509 -noout -dates -issuer`"
        ),
        Check("List certificates in the cluster: `kubectl get certificate,secret -A | grep -i tls`", _KUBERNETES),
        Check("See whether renewal works: `certbot certificates` and `systemctl list-timers`", _HOST),
    ),
    "credential_expired": (
        Check(
            "See when the credentials of {service} were last changed: `kubectl get secret -A | grep {service}`",
            _KUBERNETES,
        ),
        Check("See when the credentials of {service} were last changed, and when they expire"),
    ),
    "permission_denied": (
        Check(
            "Ask what the account may do: `kubectl auth can-i --list --as=system:serviceaccount:<namespace>:{service}`",
            _KUBERNETES,
        ),
        Check(
            "See whose the path is, and who runs the program: `namei -l <path>` and `ps -o user,args -C {service}`",
            _MACHINES,
        ),
        Check("See which account the step runs as, and what its token may do", _BUILD),
    ),
    "brute_force": (
        Check(
            "Count the failed logins by address: `grep -hoE 'from [0-9]+[.][0-9.]+' {source} | sort | uniq -c "
            "| sort -rn | head`"
        ),
        Check("See whether one succeeded: `grep -E 'Accepted|session opened|login succeeded' {source}`"),
    ),
    "missing_env_var": (
        Check("Compare the variables it has with what it needs: `kubectl set env {workload} --list`", _KUBERNETES),
        Check(
            "Compare the variables it has with what it needs: `tr '\\0' '\\n' </proc/<pid of {service}>/environ`",
            _MACHINES,
        ),
        Check("Compare the job's variables and inputs with what the step needs", _BUILD),
    ),
    "bad_config": (
        Check("Read the configuration it runs with: `kubectl get {configuration} -o yaml`", _KUBERNETES),
        Check(
            "See which configuration of {service} was changed last: `ls -lt /etc/{service}*`, and its history", _HOST
        ),
        Check("Read the configuration that {service} runs with, and what changed in it", _MACHINE),
    ),
    "feature_flag": (Check("See who switched the flag and when, in the audit log of the flag service"),),
    "schema_migration": (
        Check('Compare the schema with what the code expects: `psql -c "\\d {what}"`', _POSTGRES),
        Check('Compare the schema with what the code expects: `mysql -e "describe {what}"`', _MYSQL),
        Check("Compare the schema of {what} with what the code expects", _UNKNOWN),
        Check(
            "See which migrations ran: the migration table (`alembic current`, `flyway info`, "
            "`rails db:migrate:status`)"
        ),
    ),
    "version_mismatch": (
        Check("Compare the versions that run: `kubectl get deploy -A -o wide`", _KUBERNETES),
        Check("Compare the versions on both sides: what {service} runs, and what it talks to", _MACHINES),
        Check(
            "See what resolved differently since the last good build: compare the two lock files or dependency trees",
            _BUILD,
        ),
    ),
    "bad_deploy": (
        Check("See what was rolled out: `kubectl rollout history {workload}`", _KUBERNETES),
        Check("Compare old and new pods: `kubectl get pods -l app={service} -o wide`", _KUBERNETES),
        Check("See what was rolled out to {service}, and compare it with the version before", _MACHINES),
    ),
    "image_pull_failure": (
        Check("Read the reason of the registry: `kubectl describe {object}`", _KUBERNETES),
        Check("See whether the image exists: `docker manifest inspect {what}`"),
    ),
    "unschedulable": (
        Check("Read the scheduler's reason: `kubectl describe {object}`", _KUBERNETES),
        Check(
            "Compare with what the nodes have: `kubectl describe nodes | grep -A8 'Allocated resources'` "
            "and `kubectl get nodes --show-labels`",
            _KUBERNETES,
        ),
        Check("See what the machines have free, and what {service} asks for", _MACHINES),
    ),
    "probe_failure": (
        Check(
            "Call the probe yourself: `kubectl exec {workload} -- wget -qO- http://localhost:<port>/<path>`",
            _KUBERNETES,
        ),
        Check("Call the health check yourself: `curl -sv http://{address}/<path>`", _MACHINES),
    ),
    "crash_loop": (
        Check("Read why it ended: `kubectl logs {pod} --previous --tail=100`", _KUBERNETES),
        Check("Read its last state: `kubectl describe {object}`", _KUBERNETES),
        Check("Read why it ended: `journalctl -u {service} -n 100` and `coredumpctl list`", _HOST),
        _OWN_LOG,
    ),
    "node_not_ready": (
        Check(
            "Look at the node: `kubectl describe {object}` and `kubectl get pods -A -o wide | grep {name}`", _KUBERNETES
        ),
        Check("See whether {machine} answers: `ping -c 5 {name}`, then its own log of that time", _MACHINES),
    ),
    "eviction": (
        Check("See what ran short on the node: `kubectl describe node <node> | grep -A12 Conditions`", _KUBERNETES),
        Check("See what ran short on {machine}: `df -h` and `free -m`", _MACHINES),
    ),
    "network_partition": (
        Check(
            "List the network policies: `kubectl get networkpolicy -A`, then test from {caller}: `nc -vz {address}`",
            _KUBERNETES,
        ),
        Check("Test the way from one side to the other: `nc -vz {address}` and `mtr -rwc 20 {host}`", _MACHINES),
    ),
    "packet_loss": (
        Check("Measure the loss: `kubectl exec {caller} -- ping -c 50 -i 0.2 {host}`", _KUBERNETES),
        Check(
            "Measure the loss: `mtr -rwc 50 {host}`, and with large packets `ping -M do -s 1472 -c 20 {host}`",
            _MACHINES,
        ),
        Check("See the interface's own counts: `ip -s link` on {machine}", _HOST),
    ),
    "heartbeat_missing": (
        Check("See whether {service} still runs: `kubectl get pods -l app={service}`", _KUBERNETES),
        Check("Read what it wrote last: `kubectl logs deploy/{service} --tail=50`", _KUBERNETES),
        Check(
            "See whether {service} still runs: `systemctl status {service}`, `systemctl list-timers`, `crontab -l`",
            _HOST,
        ),
        Check("See whether {service} still runs, or what should have started it", _MACHINE),
    ),
    "data_corruption": (
        Check("Check the data before anything writes to it again: `pg_amcheck --all`", _POSTGRES),
        Check("Check the data before anything writes to it again: `mysqlcheck --all-databases --check`", _MYSQL),
        Check("Check the data before anything writes to it again, with the checksum tool of the store", _UNKNOWN),
        Check(
            "See whether the disk fails: `journalctl -k --grep 'I/O error|medium error'` and `smartctl -a <disk>`",
            _HOST,
        ),
    ),
    "bad_input": (Check("Find the input that cannot be read, and who sends it: `sed -n '{line}p' {source}`"),),
    "constraint_violation": (
        Check('Look at the constraint: `psql -c "\\d+ {what}"`', _POSTGRES),
        Check('Look at the constraint: `mysql -e "show create table {what}"`', _MYSQL),
        Check("Look at the constraint, and at what writes such rows since then", _UNKNOWN),
    ),
    "code_defect": (Check("Read the code at {place}, and what changed there: `git log -5 -p -- {file}`"),),
}
"""By fault type, the most telling first. Several checks with one meaning stand for several surroundings: of those that
fit, `next_steps` takes the first two."""

REMEDIES: Final[dict[str, tuple[Check, ...]]] = {
    "bad_deploy": (
        Check("If confirmed, go back: `kubectl rollout undo {workload}`", _KUBERNETES),
        Check("If confirmed, go back to the version of {service} before"),
    ),
    "missing_env_var": (Check("If confirmed, set the variable for {service} and roll it out again"),),
    "bad_config": (Check("If confirmed, put the former configuration back and restart {service}"),),
    "feature_flag": (Check("If confirmed, switch the flag back"),),
    "out_of_memory": (Check("If confirmed, raise the memory limit or go back to the version before"),),
    "cpu_saturation": (Check("If confirmed, raise the CPU limit or scale {service} out"),),
    "certificate_expired": (Check("If confirmed, renew the certificate and reload {service}"),),
    "image_pull_failure": (Check("If confirmed, correct the image's name or tag, or its pull secret"),),
    "unschedulable": (Check("If confirmed, correct the selector, request or claim, or add a node that fits"),),
    "schema_migration": (
        Check("If confirmed, run the missing migration, or go back to the version that fits the schema"),
    ),
    "clock_skew": (Check("If confirmed, set the clock: `chronyc makestep`", _HOST),),
}


def fitting(checks: tuple[Check, ...], platform: Platform, database: Database) -> Iterator[str]:
    """The texts of the checks that help there, in order."""
    return (check.text for check in checks if not check.on or platform in check.on or database in check.on)
