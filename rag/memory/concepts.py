"""Fault concepts: what words of many programs mean the same failure.

`OOMKilled`, `java.lang.OutOfMemoryError` and `Cannot allocate memory` share no word; a search by words would never
join them. Each concept is one label (of `core.domain.FAULT_TYPES` where it has one) with a pattern of the phrases by
which kernels, runtimes, databases and clients report it. The phrases are those of the programs' own messages (POSIX
errno texts, exception class names, Kubernetes reasons, SQLSTATE texts), not of any data set.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

_PHRASES: Final[dict[str, tuple[str, ...]]] = {
    "out_of_memory": (
        r"oom[-_ ]?kill\w*|out ?of ?memory|cannot allocate memory|enomem|memoryerror|heap space",
        r"heap out of memory|gc overhead|memory limit|exit(?:ed)?(?: with)?(?: code| status)? 137|bad_alloc",
        r"allocation failed",
    ),
    "memory_leak": (
        r"memory leak|heap (?:usage|used)|full gc|gc pause|allocation failure|rss (?:grew|grow|is|at)",
        r"memory (?:usage|pressure|growth)",
    ),
    "disk_full": (
        r"no space left|enospc|disk ?(?:is )?full|disk ?pressure|out of (?:disk )?space|disk quota|edquot",
        r"read[- ]only file ?system|erofs|flood[- ]stage",
        r"(?:disk|volume|filesystem)[^.;]{0,30}(?:full|usage|watermark)|could not extend file",
    ),
    "cpu_saturation": (
        r"cpu (?:usage|throttl\w*|saturat\w*|load|steal)|throttled|load average",
        r"event loop (?:lag|blocked|delay)|soft lockup|runqueue|cpu pressure",
    ),
    "connection_pool_exhaustion": (
        r"pool (?:is )?(?:exhaust\w*|timeout|full|size|limit)|pool[^.;]{0,40}(?:exhaust|timed out|timeout)",
        r"too many (?:connections|clients)|queuepool|hikaripool|connection is not available",
        r"remaining connection slots|max_connections|unable to acquire (?:a )?connection",
        r"waiting for (?:a )?(?:free )?connection|pool overflow|connection[- ]pool",
    ),
    "file_descriptor_exhaustion": (
        r"too many open files|emfile|enfile|file descriptor\w*|ulimit|nofile|rlimit_nofile",
    ),
    "thread_pool_exhaustion": (
        r"rejectedexecution\w*|thread ?pool\w*|no (?:free|idle|available) (?:worker|thread)s?|worker pool",
        r"unable to create (?:new )?native thread|executor (?:queue|saturat\w*)|max_children",
        r"all workers (?:are )?busy",
    ),
    "slow_query": (
        r"slow[- ]?query|statement timeout|querycancel\w*|query (?:took|timeout|execution)|sequential scan",
        r"full table scan|missing index|lock wait|57014|long[- ]running (?:query|transaction)",
    ),
    "lock_contention": (
        r"deadlock\w*|lock wait|could not obtain lock|lock(?:ed)? (?:timeout|contention|acquisition)|40p01",
        r"55p03|database is locked|waiting for (?:a |the )?(?:\w+ )?lock|innodb_lock",
    ),
    "dependency_slow": (
        r"deadline ?exceeded|gateway time-?out|\b504\b|read timed? ?out|readtimeout\w*|sockettimeout\w*",
        r"request timed? ?out|upstream (?:request )?time(?:d )?out|context deadline|etimedout|response time",
        r"timed? ?out|timeouts?|high latency|latency",
    ),
    "dependency_down": (
        r"service unavailable|\b503\b|no healthy upstream|circuit ?breaker\w*|breaker (?:is )?open",
        r"upstream connect error|backend (?:is )?(?:down|unavailable)|bad gateway|\b502\b",
        r"no available (?:server|broker|node)s?|master(?:_|\s)?not(?:_|\s)?discovered|leader not available",
        r"server selection|no live upstreams?|(?:is|was) unreachable|\bunreachable at\b",
    ),
    "connection_refused": (
        r"connection refused|econnrefused|connectexception|actively refused|failed to connect",
        r"could not connect|connect(?:ion)? (?:error|failed|failure)|cannot connect|unable to connect",
        r"connection attempts? failed",
    ),
    "network_partition": (
        r"no route to host|ehostunreach|enetunreach|network (?:is )?unreachable|network partition",
        r"split[- ]?brain|lost (?:connection|contact)|peer[s]? (?:unreachable|lost)|partitioned|quorum",
    ),
    "packet_loss": (
        r"packet loss|connection reset|econnreset|broken pipe|epipe|retransmi\w*|unexpected eof",
        r"dropped packets|link (?:is )?down|carrier",
    ),
    "dns_failure": (
        r"no such host|name or service not known|unknownhost\w*|enotfound|eai_again|getaddrinfo|nxdomain",
        r"servfail|name resolution|could not resolve|temporary failure in name",
        r"dns (?:lookup|failure|error|resol\w*)|coredns|could not translate host ?name",
    ),
    "rate_limited": (
        r"too many requests|\b429\b|rate[- ]?limit\w*|throttlingexception|quota exceeded|slow ?down",
        r"provisionedthroughput\w*|resource_?exhausted|request limit exceeded",
        r"(?:sending|request|rate|hourly|daily|call|usage) (?:limit|quota) (?:reached|exceeded|exhausted)",
    ),
    "queue_backlog": (
        r"queue (?:is )?(?:full|depth|size|length|backlog)|backlog\w*|consumer lag|\blag\b",
        r"queue[^.;]{0,20}(?:full|grow\w*)|back ?pressure|messages behind|dead[- ]?letter|unacked",
    ),
    "cache_failure": (
        r"cache (?:miss\w*|unavailable|error|failure|stampede|evict\w*)|redis\w*error|redis\w*exception",
        r"memcache\w*|cache hit rat\w*|stampede|misconf redis|loading redis|busyloading\w*|maxmemory",
    ),
    "certificate_expired": (
        r"certificate (?:has )?expired|x509|certificate verif\w*|cert\w* (?:expir\w*|invalid)|not ?after|pkix",
        r"sslhandshake\w*|tls handshake|handshake fail\w*|ssl (?:error|routines)|unknown ca|self[- ]signed",
    ),
    "credential_expired": (
        r"expired ?token\w*|token (?:has |is )?expired|jwt expired|password authentication failed|28p01",
        r"invalid (?:credentials|api key|token|password)|authentication fail\w*|access denied for user|\b401\b",
        r"unauthori[sz]ed|credential\w* (?:expired|invalid|rejected)|invalidclienttokenid",
        r"signature (?:has )?expired|login failed",
    ),
    "permission_denied": (
        r"permission denied|eacces|eperm|operation not permitted|access ?denied\w*|forbidden|\b403\b",
        r"not authorized|insufficient privilege|42501|rbac|unauthorizedoperation",
    ),
    "brute_force": (
        r"failed password|invalid user|failed login|login attempts?|authentication failures?",
        r"account (?:is )?locked|brute[- ]?force|too many (?:failed|authentication)",
    ),
    "missing_env_var": (
        r"environment variables?|env(?:ironment)? var\w*|keyerror|not set|is required but|missing required",
        r"undefined variable|must be set|required (?:setting|property|configuration)",
    ),
    "bad_config": (
        r"invalid (?:configuration|config|value|setting)",
        r"config\w* (?:error|invalid|reload\w*|parse|rejected|changed|updated)|could not resolve placeholder",
        r"unknown (?:directive|option|key|field|property)|yaml|parse config|misconfigur\w*|configmap",
        r"failed to load config",
    ),
    "feature_flag": (
        r"feature[- ]?(?:flags?|toggle\w*|gates?)|flag (?:enabled|turned|evaluat\w*|rollout)",
        r"rollout (?:to|at) \d+|experiment",
    ),
    "schema_migration": (
        r"migrat\w*|alembic|flyway|liquibase|column \S+ does not exist|relation \S+ does not exist",
        r"unknown column|no such (?:table|column)|undefinedcolumn|undefinedtable|42703|42p01|alter table",
        r"schema (?:version|change|mismatch)",
    ),
    "version_mismatch": (
        r"nosuchmethod\w*|noclassdef\w*|classnotfound\w*|unsupportedclassversion\w*|abstractmethoderror",
        r"modulenotfound\w*|importerror|cannot import name|no module named",
        r"incompatible (?:version|protocol|schema|api)\w*|version mismatch",
        r"unsupported (?:version|protocol|wire)|wire version|api version|undefined symbol|glibc",
    ),
    "bad_deploy": (
        r"deploy(?:ed|ing|ment)?s?\b|rollout|rolled out|new (?:version|release|revision)|release \S*\d",
        r"rolling (?:update|back|restart)|replicaset|starting version|build \S*\d",
    ),
    "data_corruption": (
        r"corrupt\w*|checksum (?:mismatch|error|failed)|crc|invalid page|bad magic|data loss|torn page",
        r"integrity check|badly formed|unexpected end of (?:file|input|data)",
    ),
    "bad_input": (
        r"jsondecode\w*|json ?parse\w*|unexpected token|malformed|unmarshal\w*|deserializ\w*|unparse?able",
        r"invalid (?:json|utf-?8|payload|input|format|argument)|numberformat\w*|unicode(?:decode|encode)error",
        r"validation (?:error|failed)|validationerror|schema validation|cannot parse|parse ?error|bad request",
        r"\b400\b|illegalargument\w*|valueerror|\b422\b|unprocessable|expecting (?:value|property name|',')",
        r"is not a valid|(?:is|are) not valid|field required|invalid[_ ]request|request (?:body )?rejected",
    ),
    "constraint_violation": (
        r"duplicate (?:key|entry)|unique (?:constraint|violation)|foreign key|integrityerror",
        r"constraint\w* (?:violat\w*|fail\w*)|violates|not[- ]null|23505|23503|23502|dataintegrity\w*",
    ),
    "code_defect": (
        r"nullpointer\w*|nil pointer|typeerror|attributeerror|indexerror|index out of (?:range|bounds)",
        r"indexoutofbounds\w*|cannot read propert\w*|undefined is not|is not a function|segmentation fault",
        r"sigsegv|assertion\w* (?:failed|error)|assertionerror|zerodivision\w*|divi(?:de|sion) by zero",
        r"nameerror|unboundlocal\w*|classcast\w*|nullreference\w*|unhandled (?:exception|rejection)",
        r"stack ?overflow\w*|concurrentmodification\w*|unwrap\(\)|keyerror|nosuchelement\w*",
        r"invalid memory address",
    ),
    "crash_loop": (
        r"crash ?loop ?back ?off|back-off restarting|restarting failed container|restart count",
        r"container (?:exited|died|terminated)|exited with (?:code|status)|exit code [1-9]|restarts?\b",
    ),
    "image_pull_failure": (
        r"image ?pull\w*|errimage\w*|manifest unknown|pull access denied|failed to pull|invalidimagename",
        r"repository does not exist|toomanyrequests",
    ),
    "unschedulable": (
        r"failed ?scheduling|unschedulable|insufficient (?:cpu|memory|nvidia\S*|pods|ephemeral\S*)",
        r"nodes are available|node selector|node ?selector|node affinity|untolerated taint|taints?\b|pending\b",
        r"didn'?t match pod",
    ),
    "probe_failure": (
        r"(?:liveness|readiness|startup) probe|probe failed|health ?check\w*[^.;]{0,20}(?:fail\w*|timeout)",
        r"unhealthy",
    ),
    "node_not_ready": (
        r"node ?not ?ready|nodenotready|kubelet (?:stopped|is not)",
        r"node \S+ (?:is )?(?:not ready|unreachable|down)|notready",
    ),
    "eviction": (r"evict\w*|node was low on|preempt(?:ed|ing)\b|memorypressure|diskpressure|ephemeral-storage",),
    "heartbeat_missing": (
        r"heart ?beats?|missed (?:\w+ )?(?:beat|ping|check)|stopped responding|no response from",
        r"session expired|lease (?:expired|lost)",
    ),
    "storage_mount": (
        r"failedmount|failedattach\w*|persistentvolume\w*|unbound|\bpvcs?\b|mount(?:volume)? (?:failed|error)",
        r"unable to attach|stale (?:nfs )?file handle",
    ),
    "storage_io": (r"i/o error|input/output error|\beio\b|disk error|bad sector|smart error|medium error|nvme",),
    "clock_skew": (
        r"clock (?:skew|drift|jump\w*)|time (?:skew|drift|sync\w*)|ntp|requesttimetooskewed",
        r"timestamp (?:is )?in the future",
    ),
}

CONCEPTS: Final[dict[str, re.Pattern[str]]] = {
    name: re.compile("|".join(phrases)) for name, phrases in _PHRASES.items()
}
"""Concept -> pattern over lower-cased text."""


def concepts(text: str) -> Counter[str]:
    """How often each fault concept is named in a text."""
    lowered = text.lower()
    found: Counter[str] = Counter()
    for name, pattern in CONCEPTS.items():
        if count := sum(1 for _ in pattern.finditer(lowered)):
            found[name] = count
    return found
