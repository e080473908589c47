# ruff: noqa: E501 - one sample per line
"""One sample per format: time, severity, service, body, and what else the header carries."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
import polars as pl
import pytest

from core.batch import BATCH, LINES
from ingest.parsing.parser import Parser

WRITTEN = datetime(2024, 6, 20, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Sample:
    format: str
    line: str
    time: str | None
    severity: int
    body: str
    service: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    trace_id: str | None = None
    span_id: str | None = None


T = "2024-06-12T10:00:01"
SAMPLES = [
    # wrappers
    Sample("cri+json", f'{T}.123456789Z stdout F {{"level":"error","msg":"boom"}}', f"{T}.123456", 17, "boom", None, {"stream": "stdout"}),
    Sample("cri", f"{T}.5+02:00 stderr F plain text", "2024-06-12T08:00:01.500000", 0, "plain text"),
    Sample("kubectl+log4j", "[pod/checkout-7d9f8b-x2k4j/app] 2024-06-12 10:00:01,123 ERROR [main] com.shop.Cart: no stock", f"{T}.123000", 17, "no stock", "checkout", {"container": "app", "thread": "main", "logger": "com.shop.Cart"}),
    Sample("kubectl+postgresql", '[pod/db-0/postgres] 2024-06-12 10:00:01.123 UTC [123] ERROR:  relation "x" does not exist', f"{T}.123000", 17, 'relation "x" does not exist', "db"),
    Sample("stern+generic", "cart-6958c5bdd8-69gtn app 2024-06-12 10:00:01 WARN low", T, 13, "low", "cart", {"container": "app"}),
    Sample("compose+generic", "web-1  | 2024-06-12 10:00:01 ERROR broken", T, 17, "broken", "web"),
    Sample("ci+level", f"build\tRun tests\t{T}.1234567Z ##[error]Process failed", f"{T}.123456", 17, "##[error]Process failed", None, {"job": "build", "step": "Run tests"}),
    Sample("ci", f"{T}.1234567Z \x1b[36;1mnpm test\x1b[0m", f"{T}.123456", 0, "npm test"),
    Sample("docker+generic", '{"log":"2024-06-12 10:00:00 ERROR inner\\n","stream":"stderr","time":"2024-06-12T10:00:01.5Z"}', f"{T}.500000", 17, "inner", None, {"stream": "stderr"}),
    Sample("envelope+oslo", '{"timestamp":"2024-06-12T10:00:01Z","service":"nova/nova-api","message":"2024-06-12 09:00:01.5 77 ERROR nova.api [req-abcd1234 - -] boom"}', T, 17, "boom", "nova", {"component": "nova/nova-api", "logger": "nova.api"}, "req-abcd1234"),
    # syslog and its kin
    Sample("syslog5424", f"<34>1 {T}.003Z host.example.com su - ID47 - 'su root' failed", f"{T}.003000", 18, "'su root' failed", "su", {"host": "host.example.com", "msgid": "ID47"}),
    Sample("syslog5424", f'<165>1 {T}-07:00 192.0.2.1 app 8710 - [ex@1 a="b]c"] An event', "2024-06-12T17:00:01", 10, "An event", "app", {"procid": "8710"}),
    Sample("syslog", "<34>Oct 11 22:14:15 host su: failed", "2023-10-11T22:14:15", 18, "failed", "su"),
    Sample("syslog", "Jun 12 10:00:01 combo sshd(pam_unix)[19939]: authentication failure; logname=", T, 0, "authentication failure; logname=", "sshd", {"host": "combo", "pid": "19939"}),
    Sample("syslog+level", "Jun  2 10:00:01 host sshd[24200]: error: Received disconnect", "2024-06-02T10:00:01", 17, "error: Received disconnect", "sshd"),
    Sample("syslog+klog", "Jun 12 10:00:01 n kubelet[7]: E0612 10:00:01.123456    8 pod_workers.go:190] Error syncing", f"{T}.123456", 17, "Error syncing", "kubelet", {"pid": "8", "logger": "pod_workers.go:190"}),
    Sample("syslog+logfmt", f'Jun 12 10:00:01 n dockerd[7]: time="{T}.5Z" level=warning msg="slow thing" id=abc', f"{T}.500000", 13, "slow thing", "dockerd", {"id": "abc"}),
    Sample("syslog", f"{T}.123456+00:00 host app[12]: message here", f"{T}.123456", 0, "message here", "app"),
    Sample("syslog", "Jun 12 10:00:01 host last message repeated 2 times", T, 0, "last message repeated 2 times"),
    Sample("ras", "- 1117838570 2005.06.03 R02-M1 2005-06-03-15.42.50.675872 R02-M1 RAS KERNEL FATAL data TLB error", "2005-06-03T22:42:50.675872", 21, "data TLB error", None, {"node": "R02-M1", "component": "KERNEL", "alert": "-"}),
    Sample("ras_syslog", "- 1131566461 2005.11.09 admin1 Nov 9 12:01:01 local@admin1 /apps/sbin/gmetad[1682]: no answer", "2005-11-09T20:01:01", 0, "no answer", "gmetad", {"node": "admin1", "pid": "1682"}),
    # programs and platforms
    Sample("klog", "W0612 10:00:01.123456       1 reflector.go:324] failed to list", f"{T}.123456", 13, "failed to list", None, {"pid": "1", "logger": "reflector.go:324"}),
    Sample("klog", "node-7.lan E0612 10:00:01.123456    8 kubelet.go:218] Skipping", f"{T}.123456", 17, "Skipping", None, {"host": "node-7.lan", "pid": "8", "logger": "kubelet.go:218"}),
    Sample("syslog+oslo_journal", "Jun 12 10:00:01 vm cinder-volume[7]: ERROR cinder.volume.manager [None req-abcd1234 admin admin] [vol: 1] boom", T, 17, "[vol: 1] boom", "cinder-volume", {"host": "vm", "pid": "7", "logger": "cinder.volume.manager"}, "req-abcd1234"),
    Sample("klog", 'I0612 10:00:01.123456       1 event.go:307] "Event occurred" object="shop/web" kind="Pod" type="Warning" reason="BackOff" message="Back-off"', f"{T}.123456", 13, '"Event occurred" object="shop/web" kind="Pod" type="Warning" reason="BackOff" message="Back-off"'),
    Sample("klog", "I0612 10:00:01.123456       1 event.go:291] Event(v1.ObjectReference{Kind:\"Pod\"}): type: 'Warning' reason: 'Failed' no image", f"{T}.123456", 13, "Event(v1.ObjectReference{Kind:\"Pod\"}): type: 'Warning' reason: 'Failed' no image"),
    Sample("klog", 'I0612 10:00:01.123456       1 event.go:307] "Event occurred" kind="Pod" type="Normal" reason="Pulled"', f"{T}.123456", 9, '"Event occurred" kind="Pod" type="Normal" reason="Pulled"'),
    Sample("json", f'{{"ts":"{T}Z","msg":"Back-off","type":"Warning","reason":"BackOff"}}', T, 13, "Back-off", None, {"type": "Warning"}),
    Sample("android", "03-17 16:13:38.811  1702  2395 D WindowManager: printing", "2024-03-17T16:13:38.811000", 5, "printing", None, {"logger": "WindowManager"}),
    Sample("oslo", "nova-compute.log.1.2017-05-16_13:55:31 2017-05-16 00:07:17.508 2931 INFO nova.compute.manager [req-add1-2ed5 - - - - -] [instance: x] VM Started", "2017-05-16T00:07:17.508000", 9, "[instance: x] VM Started", "nova-compute", {"logger": "nova.compute.manager", "pid": "2931"}, "req-add1-2ed5"),
    Sample("oslo", "2017-05-16 00:07:17.508 2931 INFO nova.compute.manager VM Started", "2017-05-16T00:07:17.508000", 9, "VM Started", "nova"),
    Sample("access", '10.0.0.1 - frank [10/Oct/2023:13:55:36 -0700] "GET /a.gif HTTP/1.0" 503 2326 "http://ref" "Mozilla"', "2023-10-10T20:55:36", 17, '"GET /a.gif HTTP/1.0" 503 2326 "http://ref" "Mozilla"', None, {"status": "503", "method": "GET", "path": "/a.gif"}),
    Sample("access", '127.0.0.1 - - [12/Jun/2024:10:00:01 +0000] "POST /login HTTP/1.1" 401 12', T, 13, '"POST /login HTTP/1.1" 401 12'),
    Sample("access", '[12/Jun/2024 10:00:01] "GET / HTTP/1.1" 200 1234', T, 9, '"GET / HTTP/1.1" 200 1234'),
    Sample("haproxy", '10.9.0.1:4711 [12/Jun/2024:10:00:01.502] fe~ be/web-1 0/0/1/25/93 503 217 - - SC-- 1/1/1/1/0 0/0 "GET / HTTP/1.1"', f"{T}.502000", 17, 'fe~ be/web-1 0/0/1/25/93 503 217 - - SC-- 1/1/1/1/0 0/0 "GET / HTTP/1.1"', None, {"client": "10.9.0.1:4711"}),
    Sample("syslog+haproxy", "Jun 12 10:00:01 lb haproxy[7]: 10.9.0.1:4711 [12/Jun/2024:10:00:01.502] fe/1: SSL handshake failure", f"{T}.502000", 0, "fe/1: SSL handshake failure", "haproxy"),
    Sample("json", f'{{"start_time":"{T}.5Z","method":"GET","path":"/a","protocol":"HTTP/2","response_code":503,"response_flags":"UF","duration":9}}', f"{T}.500000", 17, '"GET /a HTTP/2" 503 UF', None, {"duration": 9, "path": "/a"}),
    Sample("json", f'{{"time":"{T}Z","request_method":"POST","request_uri":"/b","status":"201"}}', T, 9, '"POST /b" 201'),
    Sample("timestamp", "[2024-06-12 10:00:01][154] iter 9 | loss nan", T, 0, "[154] iter 9 | loss nan"),
    Sample("ceph", f"{T}.5+0000 osd.7 (osd.7) 52 : cluster [WRN] slow request", f"{T}.500000", 13, "slow request", None, {"logger": "osd.7"}),
    Sample("bind", "12-Jun-2024 10:00:01.239 general: error: zone x/IN: expired", f"{T}.239000", 17, "zone x/IN: expired", None, {"logger": "general"}),
    Sample("iis", "2024-06-12 10:00:01 10.0.0.1 GET /i.html - 443 - 10.0.0.2 Mozilla/5.0 500 0 0 15", T, 17, "10.0.0.1 GET /i.html - 443 - 10.0.0.2 Mozilla/5.0 500 0 0 15"),
    Sample("apache_error", "[Sun Dec 04 04:47:44 2005] [error] mod_jk child workerEnv in error state 6", "2005-12-04T04:47:44", 17, "mod_jk child workerEnv in error state 6"),
    Sample("apache_error", "[Wed Jun 12 10:00:01.123456 2024] [core:error] [pid 12:tid 56] [client 1.2.3.4:5] AH00124: exceeded", f"{T}.123456", 17, "AH00124: exceeded", None, {"module": "core", "pid": "12", "client": "1.2.3.4:5"}),
    Sample("nginx_error", "2024/06/12 10:00:01 [error] 12#56: *9 connect() failed (111: Connection refused)", T, 17, "connect() failed (111: Connection refused)", None, {"pid": "12", "connection": "9"}),
    Sample("postgresql", "2024-06-12 10:00:01.123 UTC [123] user@db LOG:  checkpoint starting: time", f"{T}.123000", 9, "checkpoint starting: time"),
    Sample("mysql", f"{T}.123456Z 12 [Warning] [MY-010068] [Server] CA certificate is self signed.", f"{T}.123456", 13, "CA certificate is self signed."),
    Sample("redis", "1:M 12 Jun 2024 10:00:01.123 # WARNING overcommit_memory is set to 0!", f"{T}.123000", 13, "WARNING overcommit_memory is set to 0!"),
    Sample("mongodb", "2016-01-01T10:00:00.000+0000 I NETWORK  [conn1] received", "2016-01-01T10:00:00", 9, "received", None, {"component": "NETWORK", "thread": "conn1"}),
    Sample("etcd", "2019-01-01 10:00:00.123456 I | etcdserver: starting server", "2019-01-01T10:00:00.123456", 9, "starting server", None, {"logger": "etcdserver"}),
    Sample("elasticsearch", f"[{T},123][WARN ][o.e.c.Monitor] [node-1] high disk watermark", f"{T}.123000", 13, "high disk watermark", None, {"logger": "o.e.c.Monitor", "node": "node-1"}),
    Sample("node_state", "134681 node-246 unix.hw state_change.unavailable 1077804742 1 Component State Change", "2004-02-26T14:12:22", 0, "Component State Change", None, {"node": "node-246"}),
    Sample("rails", f"I, [{T}.123456 #123]  INFO -- : Completed 200 OK", f"{T}.123456", 9, "Completed 200 OK"),
    Sample("lambda", f"[ERROR]\t{T}.123Z\t8f6a1f2e-1111-2222-3333-444455556666\tTask failed", f"{T}.123000", 17, "Task failed", None, {}, "8f6a1f2e-1111-2222-3333-444455556666"),
    Sample("zap", f"{T}.123Z\tERROR\tcontroller.pod\tmain.go:42\tReconciler error", f"{T}.123000", 17, "Reconciler error", None, {"logger": "controller.pod", "caller": "main.go:42"}),
    Sample("rust", f"[{T}Z WARN  my_crate::db] slow", T, 13, "slow", None, {"logger": "my_crate::db"}),
    Sample("cbs", "2016-09-28 04:30:30, Info                  CBS    Loaded Servicing Stack", "2016-09-28T04:30:30", 9, "Loaded Servicing Stack", None, {"component": "CBS"}),
    Sample("program", "[10.30 16:49:06] chrome.exe - proxy.example:5070 open", "2023-10-30T16:49:06", 0, "proxy.example:5070 open", "chrome"),
    Sample("healthapp", "20171223-22:15:29:606|Step_LSC|30002312|onStandStepChanged 3579", "2017-12-23T22:15:29.606000", 0, "onStandStepChanged 3579", None, {"component": "Step_LSC"}),
    Sample("healthapp", "20171224-0:7:2:444|Step_LSC|30002312|onExtend", "2017-12-24T00:07:02.444000", 0, "onExtend"),
    Sample("syslog", "Jul  2 16:52:38 host Microsoft Word[14463]: NSTextView tried", "2023-07-02T16:52:38", 0, "NSTextView tried", "Microsoft"),
    # Java
    Sample("spring", "2024-06-12 10:00:01.123  WARN 1 --- [nio-8080-exec-1] c.e.demo.Controller                      : slow", f"{T}.123000", 13, "slow", None, {"thread": "nio-8080-exec-1", "logger": "c.e.demo.Controller"}),
    Sample("spring", f"{T}.123+02:00  INFO [orders,4bf92f3577b34da6a3ce929d0e0e4736,00f067aa0ba902b7] 1 --- [main] c.e.App : up", "2024-06-12T08:00:01.123000", 9, "up", "orders", {}, "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"),
    Sample("zookeeper", "2015-07-29 17:41:44,747 - INFO  [QuorumPeer[myid=1]/0:0:2181:FastLeaderElection@774] - Notification time out: 3200", "2015-07-29T17:41:44.747000", 9, "Notification time out: 3200", None, {"logger": "FastLeaderElection"}),
    Sample("log4j", "2015-10-18 18:06:18,045 INFO [RM Allocator] org.apache.hadoop.ipc.Client: Retrying", "2015-10-18T18:06:18.045000", 9, "Retrying", None, {"thread": "RM Allocator", "logger": "org.apache.hadoop.ipc.Client"}),
    Sample("logback", "10:00:01.123 [main] DEBUG c.e.Foo - hello", "2024-06-20T10:00:01.123000", 5, "hello", None, {"thread": "main", "logger": "c.e.Foo"}),
    Sample("log4j", "2024-06-12 10:00:01,123 ERROR com.example.Foo:42 - failed", f"{T}.123000", 17, "failed", None, {"logger": "com.example.Foo"}),
    Sample("log4j", "17/06/09 20:10:40 INFO executor.Backend: Registered", "2017-06-09T20:10:40", 9, "Registered", None, {"logger": "executor.Backend"}),
    Sample("log4j", "081109 203615 148 INFO dfs.DataNode$PacketResponder: terminating", "2008-11-09T20:36:15", 9, "terminating", None, {"pid": "148", "logger": "dfs.DataNode$PacketResponder"}),
    Sample("log4j", "12-Jun-2024 10:00:01.123 SEVERE [main] org.apache.catalina.core.Service.init Failed", f"{T}.123000", 17, "Failed"),
    Sample("jboss", "10:00:01,123 INFO  [org.jboss.as] (Boot Thread) WFLYSRV0025: started", "2024-06-20T10:00:01.123000", 9, "WFLYSRV0025: started"),
    Sample("cassandra", "INFO  [main] 2024-06-12 10:00:01,123 CassandraDaemon.java:123 - Startup complete", f"{T}.123000", 9, "Startup complete"),
    Sample("log4j", "2024-06-12 10:00:01 ERROR java.io.IOException: closed", T, 17, "java.io.IOException: closed"),
    Sample("generic", "2024-06-12 10:00:01 ERROR TimeoutError: closed", T, 17, "TimeoutError: closed"),
    # Python
    Sample("loguru", "2024-06-12 10:00:01.123 | WARNING  | app.main:run:10 - watch out", f"{T}.123000", 13, "watch out", None, {"logger": "app.main:run:10"}),
    Sample("pipes", "2024-06-12 10:00:01.1234|ERROR|MyApp.Worker|failed", f"{T}.123400", 17, "failed", None, {"logger": "MyApp.Worker"}),
    Sample("gunicorn", "[2024-06-12 10:00:01 +0000] [7] [INFO] Booting worker with pid: 7", T, 9, "Booting worker with pid: 7"),
    Sample("airflow", f"[{T}.123+0000] {{taskinstance.py:1332}} ERROR - Task failed", f"{T}.123000", 17, "Task failed"),
    Sample("celery", "[2024-06-12 10:00:01,123: WARNING/MainProcess] consumer: Cannot connect", f"{T}.123000", 13, "consumer: Cannot connect"),
    Sample("flask", "[2024-06-12 10:00:01,123] ERROR in app: Exception on / [GET]", f"{T}.123000", 17, "Exception on / [GET]", None, {"logger": "app"}),
    Sample("python", "2024-06-12 10:00:01,123 - app.db - ERROR - lost connection", f"{T}.123000", 17, "lost connection", None, {"logger": "app.db"}),
    Sample("python", "ERROR:root:it failed", None, 17, "it failed", None, {"logger": "root"}),
    Sample("uvicorn", "INFO:     Uvicorn running", None, 9, "Uvicorn running"),
    Sample("uvicorn", 'INFO:     127.0.0.1:1234 - "GET / HTTP/1.1" 500 Internal Server Error', None, 17, '127.0.0.1:1234 - "GET / HTTP/1.1" 500 Internal Server Error'),
    # Kubernetes events
    Sample("k8s_event", "  Warning  FailedScheduling  4m (x3 over 5m)  default-scheduler  0/1 nodes are available", None, 13, "0/1 nodes are available", None, {"reason": "FailedScheduling"}),
    Sample("k8s_event", "5m2s        Warning   BackOff             pod/checkout-7d9f8b-x2k4j     Back-off restarting", None, 13, "Back-off restarting", "checkout", {"reason": "BackOff", "object": "pod/checkout-7d9f8b-x2k4j"}),
    # generic
    Sample("generic", "2024-06-12 10:00:01 ERROR something bad", T, 17, "something bad"),
    Sample("generic", f"{T}Z warn: low disk", T, 13, "low disk"),
    Sample("generic", "[INFO] 2024-06-12 10:00:01 started", T, 9, "started"),
    Sample("generic", f"ERROR {T}.5Z db down", f"{T}.500000", 17, "db down"),
    Sample("generic", "[10:00:01 INF] started", "2024-06-20T10:00:01", 9, "started"),
    Sample("generic", f"{T}.000Z pid=1 tid=abc INFO: ready", T, 9, "ready"),
    Sample("generic", "[2024-06-12 10:00:01,123] ERROR [Broker id=0] failed (kafka.server.X)", f"{T}.123000", 17, "[Broker id=0] failed (kafka.server.X)"),
    Sample("generic", "1718186401 ERROR disk", T, 17, "disk"),
    Sample("generic", "2024-13-45 10:00:01 ERROR impossible date", None, 17, "impossible date"),
    Sample("timestamp", "2024/06/12 10:00:01 main.go:12: listening", T, 0, "main.go:12: listening"),
    Sample("timestamp", "Wed, 12 Jun 2024 10:00:01 GMT app started", T, 0, "app started"),
    Sample("timestamp", "Jun 12, 2024 10:00:01 PM server start", "2024-06-12T22:00:01", 0, "server start"),
    Sample("level", "[ERROR] BUILD FAILURE", None, 17, "BUILD FAILURE"),
    Sample("level", "WARNING: deprecated", None, 13, "WARNING: deprecated"),
    Sample("level", "npm ERR! code ELIFECYCLE", None, 17, "npm ERR! code ELIFECYCLE"),
    # logfmt and JSON
    Sample("logfmt", f'ts={T}.123Z caller=main.go:1 level=error component=tsdb msg="compaction failed" err="no space left"', f"{T}.123000", 17, "compaction failed: no space left", None, {"caller": "main.go:1", "component": "tsdb"}),
    Sample("json", f'{{"@timestamp":"{T}.123Z","log.level":"ERROR","message":"x failed","service.name":"cart","trace.id":"abc123"}}', f"{T}.123000", 17, "x failed", "cart", {}, "abc123"),
    Sample("json", f'{{"@timestamp":"{T}Z","log":{{"level":"warn","logger":"a.b"}},"message":"x","service":{{"name":"cart"}}}}', T, 13, "x", "cart", {"logger": "a.b"}),
    Sample("json", f'{{"name":"bunyanapp","hostname":"h","pid":1,"level":50,"msg":"oops","time":"{T}.123Z","v":0}}', f"{T}.123000", 17, "oops", "bunyanapp"),
    Sample("json", '{"level":30,"time":1718186401123,"pid":1,"hostname":"fraud-service-54df9b7d75-z6m75","reqId":"req-2","msg":"incoming request"}', f"{T}.123000", 9, "incoming request", "fraud-service", {}, "req-2"),
    Sample("json", '{"level":"error","ts":1718186401.123,"logger":"api","msg":"failed","error":"dial tcp: refused"}', f"{T}.123000", 17, "failed: dial tcp: refused", None, {"logger": "api"}),
    Sample("json", '{"timeUnixNano":"1718186401123000000","severityNumber":17,"body":{"stringValue":"otel body"},"resource":{"service.name":"pay"},"traceId":"a1","spanId":"b1"}', f"{T}.123000", 17, "otel body", "pay", {}, "a1", "b1"),
    Sample("json", f'{{"event":"user login","level":"info","timestamp":"{T}.123Z","logger":"auth"}}', f"{T}.123000", 9, "user login", None, {"logger": "auth"}),
    Sample("json", '{"__REALTIME_TIMESTAMP":"1718186401123456","PRIORITY":"3","MESSAGE":"failed","SYSLOG_IDENTIFIER":"sshd"}', f"{T}.123456", 17, "failed", "sshd"),
    Sample("json+level", '{"timestamp":1718186401123,"message":"[ERROR] something","logStreamName":"x"}', f"{T}.123000", 17, "something", None, {"logStreamName": "x"}),
    Sample("json", f'{{"t":{{"$date":"{T}.123+00:00"}},"s":"W","c":"NETWORK","msg":"Slow query"}}', f"{T}.123000", 13, "Slow query", None, {"logger": "NETWORK"}),
    Sample("json", f'{{"time":"{T}Z","level":"INFO","msg":"done","traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}}', T, 9, "done", None, {}, "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"),
    Sample("level", "panic: runtime error: index", None, 21, "panic: runtime error: index"),
    # no header
    Sample("", "just plain text", None, 0, "just plain text"),
    Sample("", "Traceback (most recent call last):", None, 17, "Traceback (most recent call last):"),
    Sample("", "{not json", None, 0, "{not json"),
]  # fmt: skip


def parse_line(line: str, source: str = "app.log") -> tuple[Parser, dict[str, Any]]:
    parser = Parser(source, modified_at=WRITTEN, observed_at=WRITTEN)
    batch = pl.concat([parser.parse(pl.DataFrame({"position": [1], "line": [line]}, schema=LINES)), parser.finish()])
    assert batch.schema == BATCH
    assert batch.height == 1
    return parser, batch.row(0, named=True)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: f"{sample.format}-{sample.line[:40]}")
def test_a_sample_of_each_format(sample: Sample) -> None:
    parser, row = parse_line(sample.line)
    assert list(parser.formats) == ([sample.format] if sample.format else [])
    time = row["timestamp"].replace(tzinfo=None).isoformat() if row["timestamp"] else None
    assert time == sample.time
    assert row["severity"] == sample.severity
    assert row["body"] == sample.body
    assert row["service"] == sample.service
    assert row["trace_id"] == sample.trace_id
    assert row["span_id"] == sample.span_id
    attributes = orjson.loads(row["attributes"]) if row["attributes"] else {}
    assert attributes | sample.attributes == attributes
    assert parser.parsed + parser.unparsed == 1


@pytest.mark.parametrize(
    ("body", "trace_id"),
    [
        ("ERROR call failed request_id=abc-123", "abc-123"),
        ("ERROR call failed [req-11aa22bb]", "req-11aa22bb"),
        ('INFO {"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"}', "4bf92f3577b34da6a3ce929d0e0e4736"),
        ("INFO x-request-id: 77f0", "77f0"),
        ("INFO POST failed (Request-ID: req-00d1a1)", "req-00d1a1"),
        (
            "INFO traceparent=00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "4bf92f3577b34da6a3ce929d0e0e4736",
        ),
        ("INFO nothing here", None),
    ],
)
def test_ids_of_traces_and_requests_in_bodies(body: str, trace_id: str | None) -> None:
    assert parse_line(f"2024-06-12 10:00:01 {body}")[1]["trace_id"] == trace_id


def test_terminal_escapes_leave_the_body() -> None:
    assert parse_line("2024-06-12 10:00:01 \x1b[31mERROR\x1b[0m red\x00 text")[1]["body"] == "red text"


@pytest.mark.parametrize(
    ("source", "service"),
    [
        ("checkout.log", "checkout"),
        ("/var/log/checkout.log.1.gz", "checkout"),
        ("logs/checkout-2024-06-12.log", "checkout"),
        ("logs/app.log", None),
        ("messages.1", None),
        ("night-7/c-007-nginx.log", "nginx"),
        ("2024-06-12_10-nginx.log", "nginx"),
        ("s3-proxy.log", "s3-proxy"),
        ("stdin", None),
        ("pods/checkout-7d9f8b-x2k4j.log", "checkout"),
    ],
)
def test_the_service_falls_to_the_name_of_the_file(source: str, service: str | None) -> None:
    assert parse_line("2024-06-12 10:00:01 ERROR x", source)[1]["service"] == service


def frame(*lines: str) -> pl.DataFrame:
    return pl.DataFrame({"position": range(1, len(lines) + 1), "line": lines}, schema=LINES)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: f"{sample.format}-{sample.line[:40]}")
def test_the_service_of_a_line_is_found_without_parsing_it(sample: Sample) -> None:
    lines = frame(*[sample.line] * 3)
    parser = Parser("app.log", modified_at=WRITTEN, observed_at=WRITTEN)
    parser.learn(lines)
    records, _ = parser.parse_single(lines)
    assert parser.services_of(lines["line"]).to_list() == records["service"].to_list()


ALONE = [each for each in SAMPLES if not each.format.startswith(("stern", "compose"))]
"""All but the formats that count only where many lines have them."""


@pytest.mark.parametrize("sample", ALONE, ids=lambda sample: f"{sample.format}-{sample.line[:40]}")
def test_an_odd_line_has_the_format_that_it_would_have_alone(sample: Sample) -> None:
    parser = Parser("app.log", modified_at=WRITTEN, observed_at=WRITTEN)
    parser.learn(frame(*["nothing but text"] * 50))
    records, _ = parser.parse_single(frame(sample.line))
    assert records["body"].to_list() == [sample.body]
    assert records["severity"].to_list() == [sample.severity]
    assert records["service"].to_list() == [sample.service]
