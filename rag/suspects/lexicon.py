"""The symptom lexicon: patterns of common software, the fault each points at, and plain words for it.

The table is general knowledge about runtimes, databases, Kubernetes and operating systems; no entry knows a particular
system under test. `strength` says how directly a message names a cause: near 1 for the cause itself ("no space left on
device"), about 0.5 for a failure that has a cause elsewhere (a refused connection), below 0.4 for a bare symptom (a
timeout, a 500). The strongest reading of a text wins; of equal ones the first in the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Sign:
    """One pattern. `(?P<what>...)` in it names the thing concerned."""

    pattern: str
    fault_type: str
    strength: float
    term: str


REDIS_FULL: Final = "Redis is out of memory (maxmemory) and refuses writes"
NOT_RENEWED: Final = "a certificate could not be renewed"
PRESENTED: Final = "its certificate is refused by those that call it"
"""Terms that the ranking asks for."""

# fmt: off
SIGNS: Final[tuple[Sign, ...]] = (
    Sign(r"oomkilled|sys(?:tem)? ?oom|exit ?code\"?[=: ]+137\b|oom[-_ ]?kill(?:ed|er|ing)?|invoked oom-killer",
         "out_of_memory", 1.0, "killed: out of memory (OOM)"),
    Sign(r"out of memory: kill(?:ed)? process \d+ \((?P<what>[^)]+)\)",
         "out_of_memory", 1.0, "killed: out of memory (OOM)"),
    Sign(r"used memory > .?maxmemory|oom command not allowed|maxmemory.{0,20}(?:reached|exceeded)",
         "out_of_memory", 0.98, REDIS_FULL),
    Sign(r"java heap space|outofmemoryerror|gc overhead limit|javascript heap out of memory"
         r"|heap limit allocation failed|ineffective mark-compacts near heap limit",
         "out_of_memory", 0.97, "the heap is out of memory"),
    Sign(r"\bout of memory\b|cannot allocate memory|\bENOMEM\b|memory allocation .{0,30}failed|memoryerror"
         r"|std::bad_alloc", "out_of_memory", 0.95, "out of memory"),
    Sign(r"vm_memory_high_watermark set|memory resource limit alarm set"
         r"|(?:memory|ram) alarm (?:is )?(?:set|raised|active)",
         "out_of_memory", 0.95, "the broker is out of memory: its memory alarm blocks the publishers"),
    Sign(r"memory leak|heap (?:usage )?(?:keeps|is still) growing|leaked? \d+ ?(?:mb|mib|bytes|objects)",
         "memory_leak", 0.9, "memory leak"),
    Sign(r"memory pressure|memorypressure\s+true|(?:high|approaching).{0,20}memory|memory.{0,30}(?:soft limit|above"
         r"|exceed|high water|threshold)|heap (?:usage|used).{0,20}(?:9\d|8\d)(?:\.\d+)?\s?%|(?:long|full) gc\b"
         r"|gc (?:pause(?! \((?:g1|young|normal))|pressure|overhead)|allocation failure",
         "memory_leak", 0.6, "memory pressure: memory use is near its limit"),
    Sign(r"(?:blk_update_request|print_req_error|buffer i/o error|end_request)[: ][^\n]{0,60}(?:i/o |medium |error)"
         r"|\bi/o error,? (?:on )?dev(?:ice)? ?\w+|(?:critical )?medium error|unrecovered read error"
         r"|sense key ?: ?hardware"
         r"|(?:ext[234]|xfs|btrfs|jbd2)\S* ?(?:\([\w-]+\))?:?(?:-fs)? (?:error|critical|corruption)|ext[234]-fs error"
         r"|aborting journal on|detected aborted journal|remounting filesystem read-only|metadata i/o error"
         r"|(?:offline|current)_?(?:un)?(?:correctable|pending).{0,20}sector|bad (?:block|sector)s?\b",
         "data_corruption", 1.0, "the disk fails: it cannot be read, the file system is damaged"),
    Sign(r"no space left on device|\bENOSPC\b|disk (?:is )?full|disk quota exceeded|filesystem .{0,40}full"
         r"|could not (?:extend|write) (?:file|relation|block).{0,80}space|diskpressure\s+true|not enough (?:disk"
         r"|free) space|(?:insufficient|out of) disk|flood.?stage.{0,20}watermark",
         "disk_full", 1.0, "the disk is full (no space left on device)"),
    Sign(r"disk (?:usage|space).{0,30}(?:9\d|100)(?:\.\d+)?\s?%|\blow (?:on )?disk|high disk watermark",
         "disk_full", 0.7, "the disk is nearly full"),
    Sign(r"too many open files|\bEMFILE\b|\bENFILE\b|file descriptor.{0,30}(?:exhaust|limit|run out)|(?:open"
         r"|max) files? limit",
         "file_descriptor_exhaustion", 1.0, "too many open files: file descriptors are exhausted"),
    Sign(r"queuepool limit|pool (?:is )?(?:exhausted|empty|full)|connection is not available, request timed out"
         r"|too many (?:clients|connections)\b|remaining connection slots|sorry, too many clients"
         r"|max(?:imum)?[_ ](?:pool size|connections?|clients).{0,30}(?:reached|exceeded)"
         r"|acquire connection: context deadline|(?:could not|failed to|unable to|cannot) (?:obtain|acquire|get"
         r"|checkout|borrow) (?:a |an |new )?(?:jdbc |db |database )?connection"
         r"|timeout exceeded when trying to connect|pool.{0,20}timeout|no (?:free|idle|available) connections?\b"
         r"|waiting for (?:a )?(?:free )?connection|connection pool.{0,40}(?:exhaust|depleted|saturat|full)"
         r"|(?:exhaust|deplet|saturat)\w* .{0,20}connection pool",
         "connection_pool_exhaustion", 0.85, "the connection pool is exhausted"),
    Sign(r"no available connection and the queue has reached|all hosts?\(?s?\)? tried for .{0,40}quer(?:y"
         r"|ies) failed(?: \(tried: (?P<what>[\w.:-]+))?",
         "dependency_down", 0.9, "fails to connect to the database: every attempt failed"),
    Sign(r"rejectedexecution|maximum number of threads \(\d+\) created"
         r"|thread ?pool.{0,30}(?:exhaust|full|saturat|reject)"
         r"|stuck ?thread"
         r"|has been active for .{0,80}(?:to serve|same request)|request threads are busy|no (?:idle|free) (?:threads"
         r"|workers)|(?:all|max) (?:\d+ )?(?:worker|thread)s? (?:are )?(?:busy|reached|in use)"
         r"|server reached max_?(?:clients|requestworkers|children)|worker pool.{0,20}(?:exhaust|full)"
         r"|executor.{0,30}(?:queue (?:is )?full|saturat|reject)|task queue (?:is )?full|thread ?pool starvation"
         r"|no (?:free|idle|available) (?:worker|thread)s?\b|concurrency limit (?:was )?(?:reached|exceeded)"
         r"|server (?:is )?(?:too busy|at capacity|overloaded)|(?:request|accept) (?:queue|backlog) (?:is )?full",
         "thread_pool_exhaustion", 0.9, "the thread pool is exhausted"),
    Sign(r"cpu.{0,15}throttl|throttl\w*.{0,20}cpu",
         "cpu_saturation", 0.95, "CPU throttling: the container is at its CPU limit"),
    Sign(r"(?:high|excessive) cpu|cpu (?:usage|load|utili[sz]ation).{0,40}(?:high|\b[1-9]\d{2,}\s?%|9\d(?:\.\d+)?\s?%"
         r"|100\s?%|above|exceed)|cpu (?:is )?(?:saturat|starv|exhaust|pegged)\w*|load average: (?:[2-9]\d|\d{3})"
         r"|(?:event loop|eventloop) (?:lag|block|delay)\w*|runqueue|soft lockup|clock leap detected"
         r"|executing <(?:task|handle|function).{0,300}> took|thread starvation or clock",
         "cpu_saturation", 0.75, "high CPU usage"),
    Sign(r"taint \{?node\.kubernetes\.io/(?P<what>(?:memory|disk|pid)-pressure)",
         "eviction", 1.0, "the nodes are under pressure and take no pods"),
    Sign(r"taint \{?node\.kubernetes\.io/(?P<what>not-ready|unreachable|network-unavailable)",
         "node_not_ready", 1.0, "a node is not ready and takes no pods"),
    Sign(r"insufficient (?P<what>cpu|memory|nvidia\.com/gpu|[\w.-]+/gpu|ephemeral-storage|pods|[\w.-]+/[\w.-]+)",
         "unschedulable", 1.0, "cannot be scheduled: insufficient resources on the nodes"),
    Sign(r"exceeded quota:? ?[\"'`\\]*(?P<what>[\w./:@{}$-]*\w)[\"'`\\]*",
         "unschedulable", 0.9, "a resource quota is exceeded"),
    Sign(r"too many pods", "unschedulable", 0.95, "too many pods on the node: its pod capacity is used up"),
    Sign(r"(?:could not|cannot|can't|unable to|failed to) resolve (?!placeholder|depend|config|reference"
         r"|image|propert|type|modul|symbol|import|plugin|artifact)(?:the )?(?:(?:host(?:name)?|name|address):?\s*"
         r"[\"'`\\]*(?P<what>[\w./:@{}$-]*\w)|[\"'`\\]*(?P<w2>(?:[\w-]+\.)+[a-z][\w-]*|[\w-]+:\d{2,5})\b"
         r"|[\"'`\\]*(?P<w3>[\w-]+)[\"'`\\]*(?:$|: (?:name|nodename|no such|host|temporary|unknown|timed? ?out"
         r"|servfail|nxdomain|dns)))",
         "dns_failure", 0.93, "DNS: the host name could not be resolved to an IP address"),
    Sign(r"lookup (?P<what>[\w.-]+)(?: on [\d.:\[\]a-f]+)?: (?:(?:read|write) udp[^\n]{0,60}: )?(?:no such host"
         r"|server misbehaving|i/o timeout"
         r"|temporary failure)", "dns_failure", 0.95, "DNS: the host name could not be resolved"),
    Sign(r"(?:getaddrinfo|queryA+|querySrv)\s+(?:ENOTFOUND|EAI_AGAIN"
         r"|ESERVFAIL)\s*[\"'`\\]*(?P<what>[\w./:@{}$-]*\w)[\"'`\\]*",
         "dns_failure", 0.95, "DNS: the host name could not be resolved"),
    Sign(r"unknownhostexception:?\s*(?P<what>[\w.-]+)?|no such host|nxdomain|name or service not known"
         r"|temporary failure in name resolution|nodename nor servname|nameresolutionerror|name resolution (?:failed"
         r"|error)|\bENOTFOUND\b|\bEAI_AGAIN\b|unknown host|host not found|\bservfail\b|dns.{0,30}(?:fail|timeout"
         r"|timed out|error)", "dns_failure", 0.9, "DNS: the host name could not be resolved"),
    Sign(r"network is unreachable|no route to host|\bEHOSTUNREACH\b|\bENETUNREACH\b|network partition|split.?brain"
         r"|host is unreachable|destination (?:host|net) unreachable|lost quorum|no quorum|quorum (?:lost|not)"
         r"|partition(?:ed)? (?:detected|from)|unreachable peers?",
         "network_partition", 0.85, "network: no route to the host"),
    Sign(r"packet loss|dropp\w+ packets?|packets? dropped|retransmi(?:t|ssion)\w*|tcp timeouts?:"
         r"|detected tx unit hang|tx (?:timeout|hasn't completed)|transmit (?:queue \d+ )?timed out"
         r"|rx (?:errors|dropped)"
         r"|(?:conntrack|neighbou?r|arp).{0,30}table (?:full|overflow)",
         "packet_loss", 0.85, "packet loss on the network"),
    Sign(r"\b(?:nic )?link (?:is |status )?(?:\w+ )?down\b|lost carrier|carrier lost|network interface .{0,30}\bdown\b",
         "network_partition", 0.85, "the network link of the node went down"),
    Sign(r"(?:default-deny|deny)-?(?:egress|ingress)|networkpolicy.{0,40}(?:den|block|drop)|(?:denied|blocked"
         r"|dropped) by (?:network ?policy|firewall)",
         "network_partition", 0.9, "a network policy blocks the traffic"),
    Sign(r"(?:connect(?:ion)?(?: to)?|dial tcp|econnrefused|errno 111\]|upstream)[^\n]{0,80}?(?:refused|ECONNREFUSED)"
         r"|connection refused|\bECONNREFUSED\b|actively refused|all connection attempts failed",
         "connection_refused", 0.6, "connection refused"),
    Sign(r"connection reset|\bECONNRESET\b|broken pipe|\bEPIPE\b|connection (?:was )?(?:closed|aborted|lost|dropped"
         r"|terminated)|unexpected eof|socket hang ?up|server closed the connection|connection (?:has been"
         r"|unexpectedly) closed|lost connection|disconnected from|\bgoaway\b|premature(?:ly)? (?:end|close)",
         "dependency_down", 0.45, "the connection was lost"),
    Sign(r"(?:unable|failed|could not|cannot|can't) to? ?connect to (?:the )?(?:database|db\b|postgres\w*|mysql"
         r"|mariadb|mongo\w*|redis|kafka|rabbitmq|broker|server|upstream)(?: at)?[\s:]*(?P<what>[\w.-]+(?::\d+)?)?"
         r"|(?P<w2>the )?database .{0,60}(?:unavailable|unreachable|is down)",
         "dependency_down", 0.85, "unable to connect to the database or another dependency"),
    Sign(r"(?:database|postgres\w*|mysql|mongo\w*|redis|kafka|broker|upstream|dependency|backend|server|service"
         r"|provider|gateway|peer|node|leader|master|primary) (?:[\w.:-]+ )?(?:is |has become |became "
         r"|went )?(?:currently )?(?:unavailable|unreachable|not available|down\b|offline|not responding|gone away"
         r"|dead\b|not reachable)", "dependency_down", 0.75, "a dependency is unavailable"),
    Sign(r"\bvault is sealed|connection_forced|broker forced connection closure|amqpconnectionerror",
         "dependency_down", 0.7, "a dependency is unavailable"),
    Sign(r"\b503\b.{0,30}(?:service unavailable|status|upstream)|service unavailable|no healthy upstream"
         r"|no live upstreams|circuit ?breaker.{0,40}(?:open|trip|is open)|all (?:replicas|hosts|brokers"
         r"|nodes).{0,20}(?:down|failed|unavailable)|host\w* unreachable|unreachable at|hostunreachable|connecterror"
         r"|failed to connect|connection failed|connect(?:ion)? timed out|connecttimeout|connect timeout"
         r"|\bETIMEDOUT\b|could not connect|cannot connect|connect failed|unabletoconnect|connectionexception"
         r"|(?:not possible|unable|couldn'?t) (?:to )?connect|no connection could be made"
         r"|connection to node \S+ .{0,80}could not be established|broker may not be available"
         r"|network-related or instance-specific error|server was not found or was not accessible|database system is"
         r" (?:shutting down|starting up|in recovery)|terminating connection due to administrator",
         "dependency_down", 0.6, "a dependency cannot be reached"),
    Sign(r"failed to retrieve .{0,30}from redis|redis.{0,40}(?:timeout|timed out|error|fail|unavailable|loading)"
         r"|cache.{0,30}(?:unavailable|failed|failure|timeout|stampede|unreachable|connection)|misconf redis"
         r"|memcache\w*.{0,40}(?:fail|error|timeout|dead)|cache (?:hit )?(?:ratio|rate).{0,20}(?:drop|fell|low)"
         r"|(?:evicted|evicting) \d+ keys|hit ratio (?:0|1|2|3)\d?%",
         "cache_failure", 0.8, "the cache (Redis) fails"),
    Sign(r"deadlock(?: detected| found)?|lock wait timeout|could not obtain lock|lock timeout"
         r"|canceling statement due to lock timeout|lock_?wait|still waiting for (?:\w*lock|\w+ on)|(?:waiting"
         r"|waited) (?:for|on) .{0,60}lock|blocked by (?:process|pid|transaction|backend)|(?:access)?exclusivelock"
         r"|lock contention|could not serialize access|database is locked|lock not available",
         "lock_contention", 0.9, "waiting for a database lock (lock contention)"),
    Sign(r"slow (?:query|sql|statement)|long[- ]running (?:query|statement|transaction)|statement timeout"
         r"|duration: \d{4,}(?:\.\d+)? ms|query (?:took|duration|execution).{0,20}(?:\d{4,} ?ms|\d+(?:\.\d+)? ?s)"
         r"|canceling statement due to (?:statement timeout|user request)|seq(?:uential)? scan|full (?:table"
         r"|collection) scan|collscan", "slow_query", 0.85, "slow database query"),
    Sign(r"# query_time: +(?P<what>\d+(?:\.\d+)?)\s+lock_time: ", "slow_query", 0.9, "slow database query"),
    Sign(r"(?:database|db|sql) (?:call|query|operation|request|statement)s? (?:completed|finished|took|returned)\w*"
         r" (?:in |after )?(?P<what>[1-9]\d*(?:\.\d+)? ?(?:s\b|sec|seconds|min)|\d{4,} ?ms)",
         "slow_query", 0.7, "database calls are slow"),
    Sign(r"database (?:call|query|operation|request)s? (?:completed|finished|took|returned)\w* (?:in "
         r"|after )?(?P<what>\d+(?:\.\d+)? ?(?:s\b|sec|seconds|ms|min))",
         "slow_query", 0.35, "database calls are slow"),
    Sign(r"(?<![.\d])429(?![.\d])|too many (?:messages|calls)|slow ?down\b|rate.?limit\w*|quota exceeded"
         r"|throttlingexception|provisionedthroughputexceeded\w*"
         r"|requests? (?:was |were |has been )?throttled|slow ?down\b.{0,20}(?:rate|request)"
         r"|retry-after|resource_?exhausted|limit exceeded for",
         "rate_limited", 0.85, "rate limited (429 too many requests)"),
    Sign(r"\blag\b.{0,40}\d{3,}|queue (?:depth|length|size|backlog).{0,30}(?:\d{3,}|grow|high|exceed)"
         r"|backlog (?:of|is|at|size|grow)|unacked|messages? (?:ready|behind|waiting)|queue.{0,20}(?:is "
         r"|almost )?(?:full|overflow)|consumer.{0,40}(?:slow|behind|stalled|stuck|too slow)|max\.poll\.interval"
         r"|(?:buffer|queue) overflow|dead.?letter",
         "queue_backlog", 0.75, "the queue backs up: consumers are slow to process messages"),
    Sign(r"missed heartbeat|heartbeat (?:missing|lost|timeout|expired|not received|overdue|failed)|no heartbeat"
         r"|(?:has not|hasn't) reported|last seen \d+ ?(?:s|m|seconds|minutes) ago|no (?:data|metrics|report"
         r"|message)s? (?:received|from|for|since)|overdue|did not run|missed (?:its )?(?:schedule|run|deadline)"
         r"|watchdog.{0,30}(?:expired|timeout|timed out)", "heartbeat_missing", 0.75, "a heartbeat is missing"),
    Sign(r"(?:environment variable"
         r"|env(?:ironment)? ?var(?:iable)?)s?:? [\"'`]?(?P<what>(?-i:[A-Z][A-Z0-9_]{2,}))[\"'`]? (?:is |was "
         r"|must be |not |has )?(?:\w+ )?(?:undefined|not set|unset|missing|required|empty|set\b|found)",
         "missing_env_var", 1.0, "missing environment variable"),
    Sign(r"validation errors? for \w*(?:settings|config(?:uration)?|env(?:ironment)?)\b",
         "missing_env_var", 0.9, "a required setting or environment variable is missing or wrong"),
    Sign(r"\b(?P<what>(?-i:[A-Z][A-Z0-9]*_[A-Z0-9_]+))[\"'`]?:? (?:must not be|cannot be|may not be|is|was) "
         r"(?:empty|blank|required|mandatory)\b", "missing_env_var", 0.95, "missing environment variable"),
    Sign(r"could not resolve placeholder [\"'`]?(?P<what>(?-i:[A-Z][A-Z0-9_]{2,}))",
         "missing_env_var", 1.0, "missing environment variable"),
    Sign(r"(?:missing|required|undefined|unset|no)(?: required)? (?:environment variable"
         r"|env(?:ironment)? ?var(?:iable)?|env)s?:? ?[\"'`]?(?P<what>(?-i:[A-Z][A-Z0-9_]{2,}))?",
         "missing_env_var", 1.0, "missing environment variable"),
    Sign(r"[\"'`]?(?P<what>(?-i:[A-Z][A-Z0-9]*_[A-Z0-9_]+))[\"'`]?(?: environment variable| env var)? (?:is |must be "
         r"|was )?(?:not set|unset|undefined|required but|missing|not defined|not provided|empty)\b"
         r"|keyerror: [\"'](?P<w2>(?-i:[A-Z][A-Z0-9]*_[A-Z0-9_]+))[\"']|getenv.{0,20}(?:none|null)"
         r"|process\.env\.(?P<w3>\w+)", "missing_env_var", 0.95, "missing environment variable"),
    Sign(r"(?:secret|configmap) [\"'`\\]*(?P<what>[\w./-]+)[\"'`\\]* not found"
         r"|couldn't find key (?P<w2>\S+) in (?:secret|configmap)|references non-existent (?:secret|config) ?(?:map"
         r"|key)?", "bad_config", 1.0, "a secret or configmap is missing"),
    Sign(r"(?:column|relation|table|view|function|type"
         r"|field) [\"'`]?(?P<what>[\w.]+)[\"'`]?(?: of relation \S+)? does not exist|(?:unknown|no such"
         r"|invalid) (?:column|table|field)(?: name)?:? ?[\"'`]?(?P<w2>[\w.]+)?[\"'`]?|undefined(?:column|table)"
         r"|table .{0,60} doesn't exist|schema (?:version|mismatch|is out of date)|pending migrations?"
         r"|migration .{0,60}(?:fail|error|not applied|missing)|(?:no such|has no) column",
         "schema_migration", 0.95, "the database schema does not fit: a column or table does not exist (migration)"),
    Sign(r"storageclass\.storage\.k8s\.io [\"'`\\]*(?P<what>[\w.-]+)[\"'`\\]* not found|storageclass.{0,40}not found",
         "bad_config", 1.0, "the PVC cannot bind: its StorageClass does not exist"),
    Sign(r"namespaces? [\"'`\\]+(?P<what>[\w.-]+)[\"'`\\]+ not found",
         "bad_config", 0.95, "the namespace is not found"),
    Sign(r"serviceaccount [\"'`\\]*(?P<what>[\w.-]+)[\"'`\\]* not found",
         "bad_config", 0.7, "the service account is not found"),
    Sign(r"(?<!bad or )(?:unexpected|unknown|incompatible) (?:repl(?:y|ies)|responses?|answers?"
         r"|response (?:format|body|schema))\b"
         r"|unexpected(?:reply|response|answer|contract)\w*"
         r"|(?:reply|response|answer|payload) (?:of|from) (?P<what>[\w.-]+)"
         r" (?:has no|lacks|misses|is missing|does not (?:have|contain|match))",
         "version_mismatch", 0.96, "the answer of another service has a form that is not expected"),
    Sign(r"code = unimplemented\b|unknown (?:grpc )?(?:service|method) [\w./]*[A-Z][\w./]*|unimplemented: unknown"
         r"|version (?:mismatch|conflict|skew|incompatib\w*)|incompatible (?:version|api|protocol|schema|client"
         r"|driver)|unsupported (?:version|protocol|api|wire)|unsupportedclassversion"
         r"|requires? (?:at least )?(?:version|wire version)|no (?:such method|matching version)|nosuchmethoderror"
         r"|noclassdeffound|classnotfoundexception|abstractmethoderror|symbol not found|undefined symbol"
         r"|unknown (?:protocol|message) version|api version .{0,30}not supported|module(?:notfounderror| not found)"
         r"|cannot find module [\"'`]?(?P<what>[@\w./-]+)|importerror|no module named [\"'`]?(?P<w2>[\w.]+)"
         r"|server selection.{0,60}wire version|unexpected protobuf|unknown field number",
         "version_mismatch", 0.85, "incompatible versions: a module, driver or API does not fit"),
    Sign(r"feature (?:flag|toggle|gate)|flag [\"'`]?(?P<what>[\w.-]+)[\"'`]? (?:is |was |now |turned "
         r"|switched )?(?:enabled|on\b|true|flipped|evaluated)|experiment .{0,30}(?:enabled|rollout)|launchdarkly"
         r"|unleash", "feature_flag", 0.7, "a feature flag was switched"),
    Sign(r"(?:invalid|bad|malformed|unparsable|illegal|unknown|unsupported|unrecogni[sz]ed|missing"
         r"|wrong)(?: value)?(?: for| in| of)? (?:the )?(?:config(?:uration)?|setting|option|property|parameter|key"
         r"|flag)s?\b[\s:]*[\"'`]?(?P<what>[\w.-]+)?|\bconfig(?:uration)?\b(?: file)?[^\n]{0,60}(?:invalid|not found"
         r"|missing|failed|error|malformed|unable)|(?:failed|unable|could not) to (?:load|parse|read|reload"
         r"|bind) (?:the )?config(?:uration)?|(?:yaml|toml|ini)[\w.]*: .{0,80}(?:error|cannot|did not)"
         r"|could not (?:bind|resolve placeholder)|misconfigur|no value present|parse error in config|configparser"
         r"|validation of config|beancreationexception|unsatisfied dependency|failed to bind properties",
         "bad_config", 0.85, "bad configuration"),
    Sign(r"executable file not found in \$?path"
         r"|exec: [\"'`\\]*(?P<what>[\w./-]+)[\"'`\\]*: (?:executable file not found|no such file|permission denied"
         r"|exec format)|exec format error|command not found|no such file or directory: [\"'`]?(?P<w2>[\w./-]+)",
         "bad_config", 0.95, "the command does not exist in the container (executable file not found, perhaps a typo)"),
    Sign(r"syntax error: (?:unexpected|unterminated|near)[^\n]{0,40}",
         "bad_config", 0.9, "shell syntax error in the command"),
    Sign(r"backend server is not (?:found|defined)|host not found in upstream [\"'`]?(?P<what>[\w.:-]+)"
         r"|unknown directive|endpoint .{0,60}not (?:found|configured)", "bad_config", 0.85, "bad configuration"),
    Sign(r"\brollback\b|rolling back|rollout .{0,40}(?:fail|undo|stuck)|progressdeadlineexceeded",
         "bad_deploy", 0.5, "a rollout did not complete"),
    Sign(r"duplicate key value violates unique constraint [\"'`\\]*(?P<what>[\w.]+)|violates (?:unique|foreign key"
         r"|check|not-null|exclusion)[\w -]*constraint [\"'`\\]*(?P<w2>[\w.]+)|duplicate entry|integrityerror"
         r"|foreign key constraint fails|uniqueviolation|constraint.{0,20}violat\w*|violates not-null"
         r"|e11000 duplicate key|cannot be null\b",
         "constraint_violation", 0.93, "database query violates a constraint (unique, foreign key or not-null)"),
    Sign(r"checksum (?:mismatch|error|fail\w*|verification|does not)|corrupt(?:ed|ion)?\b|data (?:is )?inconsisten\w*"
         r"|invalid page|crc (?:error|mismatch)|bad magic|(?:block|page|record|index) .{0,30}(?:is )?(?:damaged"
         r"|broken|corrupt)|could not read block|missing chunk number|sqlstate xx00[012]|unexpected end of (?:file"
         r"|data|stream|json)", "data_corruption", 0.9, "data corruption"),
    Sign(r"syntax error at or near [\"'`\\]*(?P<what>\w+)|you have an error in your sql syntax|sql syntax"
         r"|programmingerror.{0,40}syntax|failed to execute query (?P<w2>[\w.]+): syntax",
         "code_defect", 0.9, "syntax error in a database query"),
    Sign(r"jsondecodeerror|unexpected token .{0,20}(?:in json|json)|invalid json|malformed json|json(?:parse|mapping"
         r"|syntax)?exception|cannot (?:deserialize|unmarshal)|(?:(?:failed|unable) to|could not) (?:parse|decode"
         r"|deserialize|unmarshal)|invalid (?:character|payload|message|format|input|date|utf-?8)|unicodedecodeerror"
         r"|numberformatexception|invalid literal for|deserializ\w+ (?:error|fail\w*)|parse ?error|schema validation"
         r"|validation (?:error|failed)|validationerror|bad ?request\b.{0,30}body|unprocessable|could not be parsed"
         r"|invalid (?:value|amount|currency|field)|not a valid \w+|value too long|out of range for type"
         r"|numeric overflow|poison (?:message|pill)|requests? (?:was |were )?rejected\b|rejected (?:the )?request"
         r"|expecting (?:property name|value:|',' delimiter)",
         "bad_input", 0.7, "bad input: data cannot be parsed or fails validation"),
    Sign(r"null ?pointer|nonetype. object|cannot read propert\w+ (?:of|[\"'])|undefined is not|is not a function"
         r"|nil pointer dereference|nil map|index out of (?:range|bounds)|indexoutofbounds|indexerror|attributeerror"
         r"|typeerror|nameerror|referenceerror|unboundlocalerror|zerodivision|divi(?:de|sion) by zero"
         r"|arithmeticexception|classcastexception|segfault|segmentation fault|sigsegv|assertionerror"
         r"|assertion .{0,40}failed|illegalstateexception|unreachable code|stack ?overflow|recursionerror"
         r"|nomethoderror|panicked at|concurrentmodification|object reference not set|nullreferenceexception"
         r"|unwrap\(\)|keyerror|undefinederror|\bhas no attribute [\"']", "code_defect", 0.75, "a defect in the code"),
    Sign(r"(?:renew|issue|order|obtain|rotat)\w*.{0,40}\bcertificates?\b.{0,80}(?:fail|error|denied|expire)"
         r"|(?:fail|error|unable|could not|cannot)\w*.{0,40}(?:renew|issue|order|obtain|rotat)\w*.{0,40}"
         r"\bcertificates?\b",
         "certificate_expired", 0.9, NOT_RENEWED),
    Sign(r"certificate (?:has |is |was )?(?:been )?(?:expired|not yet valid)|certificate.{0,60}(?:expired"
         r"|not valid after|notafter)|expired certificate|cert(?:ificate)?[_ ]?(?:has )?expir(?:ed|y)"
         r"|ssl certificate expired|certificateexpired|x509: .{0,60}expired|certificate_verify_failed"
         r"|cert_has_expired|pkix path (?:building|validation) failed"
         r"|unable to get local issuer|self[- ]signed certificate|x509: certificate"
         r"|certificate signed by unknown authority|certificate verify failed",
         "certificate_expired", 0.97, "the SSL/TLS certificate expired or is not valid"),
    Sign(r"tls handshake|ssl handshake|sslhandshakeexception|handshake fail\w*|ssl(?:error|exception)|ssl routines",
         "certificate_expired", 0.5, "the TLS handshake fails"),
    Sign(r"(?:token|credential|password|api ?key|session|secret|jwt|access key|security token"
         r"|lease)s?\b.{0,30}(?:has |have |is |was )?expired|expiredtoken|tokenexpired|invalid (?:access )?(?:token"
         r"|credential|api key|signature|grant|client)|invalidaccesskeyid|signaturedoesnotmatch"
         r"|password authentication failed(?: for user [\"'](?P<what>[\w-]+))?|(?:authentication|auth"
         r"|login) (?:failed|failure|error|rejected|denied)|\b401\b.{0,20}unauthori[sz]ed|unauthori[sz]ed"
         r"|\b535\b|access_refused|login was refused|authentication (?:unsuccessful|credentials invalid)|wrongpass"
         r"|unauthenticated|access key .{0,30}(?:inactive|invalid|revoked)|noauth"
         r"|access denied for user|revoked|is not permitted to log ?in|role [\"'][\w-]+[\"'] (?:does not exist"
         r"|is not)|account (?:is )?(?:disabled|inactive)",
         "credential_expired", 0.75, "credentials are expired or refused (authentication failed)"),
    Sign(r"failed password for|invalid user \S+ from|pam_unix\(sshd:auth\): (?:check pass|authentication failure)"
         r"|error: pam: authentication failure|authentication failures for \S+ from",
         "brute_force", 0.78, "many failed logins (brute force)"),
    Sign(r"brute.?force|too many (?:authentication|login|failed) (?:failures|attempts)|maximum authentication attempts"
         r"|possible break-?in|(?:failed"
         r"|invalid) login(?: attempt)?s? (?:for|from)|account .{0,20}locked|\d+ failed (?:login )?attempts"
         r"|wrong password|bad[_ ]credentials|log-?in[_ ](?:rejected|denied)|account[_ ]lock(?:ed|out)"
         r"|credential stuffing|repeated (?:failed )?login",
         "brute_force", 0.7, "many failed logins (brute force)"),
    Sign(r"is forbidden:|cannot (?:get|list|watch|create|update|patch|delete) resource [\"'`\\]*(?P<what>[\w./-]+)"
         r"|rbac|accessdenied|access denied|access is denied|permission denied|permissiondenied|\bEACCES\b|\bEPERM\b"
         r"|operation not permitted|not authorized to perform|forbidden|insufficient (?:permission|privilege|scope"
         r"|access)|\b403\b.{0,20}(?:forbidden|denied)|read-only file ?system|must be owner of|accesscontrolexception"
         r"|unauthorizedaccess", "permission_denied", 0.8, "permission denied (forbidden)"),
    Sign(r"(?:failed to pull image|back-off pulling image|errimagepull|imagepullbackoff|image can't be pulled"
         r"|errimageneverpull|invalidimagename|manifest (?:for \S+ )?(?:not found|unknown)"
         r"|pullimage from image service failed|failed to (?:pull and unpack image|resolve reference)"
         r"|pull access denied(?: for (?P<w2>[\w./:-]+))?)(?: [\"'`\\]+(?P<what>[\w./:@-]+))?",
         "image_pull_failure", 0.97, "the container image cannot be pulled (ImagePullBackOff)"),
    Sign(r"didn't match pod's node affinity(?:/selector)?|node\(s\) didn't match node selector|nodeselector",
         "unschedulable", 0.97, "pending: the pod's nodeSelector or affinity label does not match any node"),
    Sign(r"untolerated taint \{?(?P<what>[^}:\s]+)|had taint|taints? that the pod didn't tolerate",
         "unschedulable", 0.95, "cannot be scheduled: the nodes have a taint that the pod does not tolerate"),
    Sign(r"unbound immediate persistentvolumeclaims"
         r"|persistentvolumeclaim [\"'`\\]*(?P<what>[\w.-]+)[\"'`\\]* not found|volume node affinity conflict",
         "unschedulable", 0.85, "pending: its PVC (PersistentVolumeClaim) is not bound"),
    Sign(r"failedscheduling|\d+/\d+ nodes are available", "unschedulable", 0.85, "cannot be scheduled on any node"),
    Sign(r"provisioningfailed|failedbinding", "unschedulable", 0.8, "the volume cannot be provisioned"),
    Sign(r"failedmount|failedattachvolume|mountvolume\.setup failed for volume [\"'`\\]*(?P<what>[\w.-]+)"
         r"|unable to (?:attach or )?mount volumes?|multi-attach error",
         "bad_config", 0.85, "a volume cannot be mounted"),
    Sign(r"probe failed with statuscode: [45]\d\d|probe .{0,40}(?:wrong|no such) (?:path|port)",
         "probe_failure", 0.85, "health probes fail: the probe itself is refused"),
    Sign(r"(?:readiness|liveness|startup) probe (?:failed|errored)|probe failed|unhealthy.{0,40}probe"
         r"|will be restarted\b", "probe_failure", 0.65, "health probes fail"),
    Sign(r"nodenotready|node (?P<what>[\w.-]+) (?:is |status is now:? ?)?(?:not ?ready|nodenotready)"
         r"|kubelet stopped posting|node .{0,40}(?:unreachable|not ready)|node\.kubernetes\.io/(?:not-ready"
         r"|unreachable)", "node_not_ready", 0.95, "the node is not ready"),
    Sign(r"released on a \*?lost\*? node|unusable node:? ?(?P<what>[\w.-]+)?"
         r"|deactivating node (?P<w2>\S+) as it is now lost|node \S+ (?:timed out|(?:was|is|has been) lost)"
         r"|lost (?:worker|executor|node|tasktracker)\b"
         r"|removedeaddatanode|dead ?node detected|lost heartbeat from",
         "node_not_ready", 0.95, "a node of the cluster is lost"),
    Sign(r"the node was low on resource: (?P<what>[\w-]+)|\bevict(?:ed|ing|ion)\b(?!\s*[=:])|threshold quantity",
         "eviction", 0.85, "the pod was evicted"),
    Sign(r"crashloopbackoff|back-off restarting failed container|crash ?loop",
         "crash_loop", 0.6, "the container crashes again and again (CrashLoopBackOff)"),
    Sign(r"backofflimitexceeded|job has reached the specified backoff limit",
         "crash_loop", 0.55, "the job failed: it reached its backoff limit"),
    Sign(r"does not have any active endpoint|no endpoints available|service has no endpoints"
         r"|endpoints? .{0,40}not found", "bad_config", 0.8, "the service has no endpoints"),
    Sign(r"exited with (?:code|status) (?P<what>[1-9]\d*)|exit code:? (?P<w2>[1-9]\d*)|terminated with signal"
         r"|process .{0,30}(?:died|crashed|exited)|core dumped|sigkill|sigabrt|restarting (?:the )?(?:worker|process)",
         "crash_loop", 0.5, "the process ended with an error"),
    Sign(r"timed? ?out|timeout|deadline exceeded|\bETIMEDOUT\b|no (?:answer|response|reply) (?:from|within|in|after)"
         r"|did not (?:answer|respond|reply)|not respond\w*",
         "dependency_slow", 0.4, "timeouts: a dependency answers too slowly"),
    Sign(r"(?<![.\d])50[0234](?![.\d])|bad gateway|gateway time-?out|internal server error"
         r"|upstream (?:request )?(?:error|fail\w*)|non-2xx",
         "dependency_down", 0.25, "requests end in server errors (5xx)"),
    Sign(r"high latency|latency.{0,30}(?:high|exceed|above|slo|p9\d)|slow(?:er)? (?:request|response|call|than)"
         r"|request took|took too long|(?:response|render|request).{0,20}\b\d{4,}(?:\.\d+)? ?ms"
         r"|p9[59] .{0,20}(?:above|exceed|\d{4,})", "dependency_slow", 0.35, "slow: high latency"),
)
"""In order of category. Of equally strong readings the first here wins."""
# fmt: on
