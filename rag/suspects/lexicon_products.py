"""What servers, storage and cluster managers say of themselves: the part of the lexicon that is words of products.

Read together with `lexicon.SIGNS`, by the same rules. The messages are those of the products' own sources and manuals:
MySQL, PostgreSQL, MongoDB, Elasticsearch, Kafka, etcd, HAProxy, nginx, Ceph, Linux, Consul, Nomad, Spark and others.
"""

from __future__ import annotations

from typing import Final

from rag.suspects.lexicon import NOT_RENEWED, PRESENTED, Sign

# fmt: off
PRODUCT_SIGNS: Final[tuple[Sign, ...]] = (
    Sign(r"\bEBADENGINE\b|unsupported engine|requires? a (?:different|newer) (?:python|node|java|go)\b"
         r"|unsupportedclassversionerror",
         "version_mismatch", 0.9, "a version does not fit: the runtime is not one that the program supports"),
    Sign(r"\btoo many requests\b",
         "rate_limited", 0.93, "rate limited (429 too many requests)"),
    Sign(r"unable to create (?:new )?native thread|can't start new thread|pthread_create failed",
         "thread_pool_exhaustion", 0.98, "no more threads can be started"),
    Sign(r"killed by yarn for exceeding memory limits|running beyond (?:physical|virtual) memory limits"
         r"|container .{0,60}exceed\w* (?:its )?(?:physical |virtual )?memory",
         "out_of_memory", 1.0, "the container was killed for exceeding its memory limit"),
    Sign(r"circuit_?breaking_?exception|data too large, data for \[",
         "out_of_memory", 0.88, "a circuit breaker refuses requests: the heap is nearly full"),
    Sign(r"\[gc\]\[[^\n]{0,40}overhead, spent \[",
         "memory_leak", 0.6, "memory pressure: the collector runs most of the time"),
    Sign(r"all log dirs in \S+ have failed|mvcc: database space exceeded|alarm(?: raised)?:? ?nospace"
         r"|\b\d+ (?:pool\(s\)|osd\(s\)|pools?|osds?) (?:near)?full\b|osd_(?:near)?full|pool_full"
         r"|operating system error number 28\b",
         "disk_full", 0.95, "the storage of the server is full"),
    Sign(r"md/raid\d*:\w+: disk failure|raid .{0,40}degraded|currently unreadable \(pending\) sectors"
         r"|offline uncorrectable sectors|smart .{0,40}(?:prefail|failed|threshold exceeded)"
         r"|nvme\d* .{0,40}i/o .{0,20}timeout"
         r"|candidate had a (?:read|stat) error|page verification failed|calculated checksum \S+ but expected"
         r"|failed its crc|corruptrecordexception|corruptindexexception|incorrect (?:data|header) check"
         r"|stale file handle"
         r"|database page corruption|wt_panic|tablespace .{0,60}(?:corrupt|missing)",
         "data_corruption", 0.97, "stored data cannot be read: a disk or a file is damaged"),
    Sign(r"blocked for more than \d+ seconds",
         "disk_full", 0.3, "a task waits for its disk"),
    Sign(r"leader failed to send out heartbeat on time|apply request took too long",
         "dependency_slow", 0.75, "the disk of the server is slow"),
    Sign(r"address already in use|\bEADDRINUSE\b|only one usage of each socket address",
         "bad_config", 0.9, "the port is taken: another program listens on it"),
    Sign(r"unknown (?:system )?variable ['\"`]?(?P<what>\w+)|scannererror|mapping values are not allowed here"
         r"|host not found in upstream [\"'`]?(?P<w2>[\w.:-]+)|unrecognized (?:configuration )?parameter"
         r"|fatal lisp error"
         r"|is not a valid (?:setting|option|directive)|invalid command '(?P<w3>\w+)', perhaps misspelled",
         "bad_config", 0.92, "bad configuration"),
    Sign(r"(?:\d+ )?worker_connections are not enough|max number of clients reached"
         r"|max_user_connections|server sessions? limit|no more connections allowed",
         "connection_pool_exhaustion", 0.9, "the server has no connection left"),
    Sign(r"rejected execution of|es_?rejected_?execution",
         "thread_pool_exhaustion", 0.92, "the thread pool rejects requests: its queue is full"),
    Sign(r"\bis down, reason:|backend \S+ has no server available|server \S+ is (?:going )?down\b"
         r"|no server is available to handle this request|all backends? (?:are )?(?:down|failed)",
         "dependency_down", 0.85, "the servers behind the proxy are down"),
    Sign(r"(?:can't|cannot|could not) connect to (?:local )?(?:mysql|mariadb|postgres\w*|mongo\w*|redis)\b",
         "dependency_down", 0.8, "the database cannot be reached"),
    Sign(r"can't contact ldap server|slave i/o .{0,80}error connecting to (?:master|source)"
         r"|lost connection to (?:mysql|master|primary)"
         r"|no cluster leader|no leader at term|lost the (?:tcp streaming|leader)|not enough votes"
         r"|master not discovered"
         r"|no (?:primary|master) (?:found|available|elected)|notmaster(?:exception)?|leader not available"
         r"|leader_not_available",
         "dependency_down", 0.8, "the cluster has no leader, or its server cannot be reached"),
    Sign(r"limiting (?:requests|connections), excess|request rate limit|quota .{0,20}exceeded for quota metric",
         "rate_limited", 0.88, "rate limited"),
    Sign(r"member is now in state down|node-left\[|node_left|marking (?P<what>[\w.-]+) as failed"
         r"|eventmemberfailed:? ?(?P<w2>[\w.-]+)?"
         r"|\b\d+ (?:osds?|hosts?|nodes?|members?) (?:are |is )?down\b|osd_down|executor heartbeat timed out"
         r"|(?:node|host|member|peer|worker) (?P<w3>[\w.-]+) (?:has )?(?:failed|left|died|is dead|was removed)\b"
         r"|reported (?:immediately )?failed by|detected dead (?:node|host|member|datanode)",
         "node_not_ready", 0.88, "a member of the cluster is down"),
    Sign(r"insufficientinstancecapacity|insufficient .{0,20}capacity|resources exhausted on \d+ nodes?"
         r"|failed to place all allocations|no container instance met all of its requirements|no suitable node"
         r"|no hosts? available|insufficient resources on \d+ nodes?",
         "unschedulable", 0.92, "no machine has room for it"),
    Sign(r"cannotpullcontainererror|pull image manifest has been retried|failed to resolve ref\b"
         r"|repository \S+ not found"
         r"|toomanyrequests: you have reached your pull rate limit",
         "image_pull_failure", 0.97, "the container image cannot be pulled"),
    Sign(r"preauthentication failed|krb5\S*: .{0,60}(?:expired|not found in kerberos)"
         r"|access denied for user ['\"](?P<what>[\w-]+)|login failed for user ['\"]?(?P<w2>[\w-]+)"
         r"|invalid username or password"
         r"|saslauthenticationexception|invalid credentials\b|err=49\b",
         "credential_expired", 0.85, "credentials are refused (authentication failed)"),
    Sign(r"\[\w+\] ban \d{1,3}(?:\.\d{1,3}){3}|auth failed, \d{1,4} attempts|\d{2,} (?:failed"
         r"|invalid) (?:log-?in|auth\w*)",
         "brute_force", 0.85, "many failed logins (brute force)"),
    Sign(r"(?:the )?scheduler does not appear to be running|last heartbeat was received \d+ \w+ ago",
         "heartbeat_missing", 0.88, "a heartbeat is missing"),
    Sign(r"readonly you can't write against a read only replica|loading redis is loading the dataset",
         "cache_failure", 0.85, "the cache (Redis) refuses requests"),
    Sign(r"(?:mail queue|deferred|backlog).{0,40}\b\d{3,}|\b\d{4,} (?:deferred|queued|pending) (?:messages"
         r"|mails|jobs|tasks)",
         "queue_backlog", 0.75, "the queue backs up"),
    Sign(r"degraded feature set.{0,80}dns|all dns servers? (?:are )?(?:unreachable|failed)"
         r"|resolving .{0,80}: .{0,40}(?:servfail|timed out)",
         "dns_failure", 0.85, "DNS: names cannot be resolved"),
    Sign(r"fork: (?:retry: )?resource temporarily unavailable|fork rejected by pids controller"
         r"|pids? limit (?:reached|exceeded)"
         r"|server reached pm\.max_children|task limit reached",
         "thread_pool_exhaustion", 0.95, "no more processes or threads can be started"),
    Sign(r"file-max limit \d+ reached|inotify watch(?:es)? limit|user limit on the total number of inotify watches",
         "file_descriptor_exhaustion", 1.0, "the limit of open files or watches is reached"),
    Sign(r"allowed memory size of \d+ bytes exhausted|cannot allocate memory for the buffer pool"
         r"|fatal error: out of memory",
         "out_of_memory", 0.97, "the process is out of memory"),
    Sign(r"disk resource limit alarm set|free disk space is insufficient|could not find any valid local directory"
         r"|local-dirs usable space is below|resources are low on nn",
         "disk_full", 0.97, "the disk of the server is full"),
    Sign(r"blockmissingexception|could not obtain block:|checksum error: blk_"
         r"|bad file format reading the append only file"
         r"|short read while loading db|index .{0,60}is corrupt",
         "data_corruption", 0.97, "stored data cannot be read"),
    Sign(r"closing amqp connection.{0,40}missed heartbeats|missed heartbeats from client",
         "dependency_down", 0.5, "the connection was lost"),
    Sign(r"removing it from the group|member \S+ in group \S+ has failed|heartbeat expiration"
         r"|(?P<what>\d+) dead agents? out of",
         "heartbeat_missing", 0.8, "a heartbeat is missing: a member or an agent no longer reports"),
    Sign(r"topicauthorizationexception|groupauthorizationexception|avc: +denied +\{|permission to \S+ denied to"
         r"|apparmor=\"denied\"",
         "permission_denied", 0.9, "permission denied"),
    Sign(r"authorization failed for token|requested url returned error: 401"
         r"|could not read (?:username|password) for",
         "credential_expired", 0.8, "credentials are refused (authentication failed)"),
    Sign(r"connection with (?:master|primary) lost|aborted replication with an error|clusterdown the cluster is down"
         r"|unable to establish connection to (?P<what>\S+)|vif plugging (?:failed|timeout)"
         r"|service terminated unexpectedly",
         "dependency_down", 0.75, "a server cannot be reached"),
    Sign(r"networkpluginnotready|cni (?:plugin|config) (?:not initialized|uninitialized)"
         r"|failed to assign an ip address"
         r"|no dhcpoffers received|dhcp .{0,40}(?:exhaust|no free leases)|bgp\S* .{0,40}\bdown\b"
         r"|\bneighbor \S+ .{0,20}\bdown\b"
         r"|changed state to down|to down, neighbor down|hold time expired|mnesia.{0,60}partition"
         r"|running_partitioned_network"
         r"|inconsistent_database",
         "network_partition", 0.92, "the network is down or divided"),
    Sign(r"reported unhealthy with details|now in state unhealthy|pleg is not healthy|container runtime is down"
         r"|runtime (?:service|network) .{0,60}not ready|node became not ready",
         "node_not_ready", 0.85, "a node reports that it is not healthy"),
    Sign(r"start request repeated too quickly|scheduled restart job, restart counter is at (?P<what>\d+)"
         r"|main process exited, code=(?:exited|killed|dumped), status=(?!0)(?P<w2>\w+)",
         "crash_loop", 0.6, "the unit's process ends again and again"),
    Sign(r"could not find a version that satisfies|no matching distribution found|\beresolve\b|unmet peer dep"
         r"|conflicting peer dependency|could not find artifact"
         r"|404 not found - get https?://\S+",
         "version_mismatch", 0.85, "a dependency of the build cannot be found in the version asked for"),
    Sign(r"input required and not supplied: (?P<what>\w+)",
         "missing_env_var", 0.9, "an input is missing"),
    Sign(r"exceeded the maximum execution time|maximum execution time of \d+ seconds exceeded|(?:job|build"
         r"|task) .{0,30}timed out",
         "dependency_slow", 0.6, "it took longer than it may"),
    Sign(r"over capacity, insufficient resources|unable to allocate inventory",
         "unschedulable", 0.9, "no machine has room for it"),
    Sign(r"\bslow (?:disk|fdatasync|f?sync|i/?o)\b|fsync .{0,20}exceed"
         r"|(?:disk|storage|fsync|wal sync\w*) (?:is |was |are )?(?:too )?slow\b"
         r"|(?:fsync|fdatasync|wal sync\w*|disk write)\w*.{0,30}(?:took too long|is taking too long)",
         "dependency_slow", 0.85, "the disk is slow"),
    Sign(r"\bsystem\.outofmemoryexception\b|\beheap_alloc: cannot allocate|\bstd::bad_alloc\b",
         "out_of_memory", 0.95, "the process is out of memory"),
    Sign(r"not enough space on the disk|the table '[^']+' is full|\b\d+ (?:near)?full osd|osds? (?:are|is) full",
         "disk_full", 0.93, "the disk is full"),
    Sign(r"prior to obtaining a connection from the pool|could not get a resource from the pool"
         r"|connection not available and request was dropped from queue|pool(?:ed)? connections? .{0,20}all in use",
         "connection_pool_exhaustion", 0.93, "the connection pool is exhausted"),
    Sign(r"thread '?vert\.x-eventloop-thread[^\n]{0,40}has been blocked|event loop (?:is |was )?blocked for"
         r"|thread ?pool starvation",
         "thread_pool_exhaustion", 0.85, "the threads that serve requests are blocked"),
    Sign(r"cluster conflict due to certification failure|\berror acquiring the state lock\b"
         r"|state (?:is|blob is already) locked\b",
         "lock_contention", 0.85, "another holds the lock, or changed the same rows"),
    Sign(r"\btask \S+ blocked for more than \d+ seconds|hung_task_timeout",
         "dependency_slow", 0.7, "the disk is slow: a process hangs in the kernel"),
    Sign(r"\b\d+ tombstone cells for query|scanned over \d+ tombstones",
         "slow_query", 0.8, "slow database query: it reads many deleted rows"),
    Sign(r"\bname does not resolve\b", "dns_failure", 0.9, "DNS: the host name could not be resolved"),
    Sign(r"\bnonodeavailableexception\b|\bNOREPLICAS\b|not enough good replicas|notenoughreplicas\w*"
         r"|not enough replicas available|cannot achieve consistency level|\bno leader for (?:partition|topic)"
         r"|none of the configured nodes (?:are|were) available|leadernotavailable",
         "dependency_down", 0.8, "too few of the store's nodes are up to serve it"),
    Sign(r"\bcheckpoint \d+ [^\n]{0,60}(?:expired before completing|has been declined)|exceeded checkpoint tolerable",
         "dependency_slow", 0.55, "checkpoints do not finish in time: what stores them is too slow"),
    Sign(r"prim(?:ary)? (?:view|component),? (?:is )?(?:not possible|lost)|no nodes coming from prim view"
         r"|wsrep has not yet prepared node|entering partition handling|running_partitioned_network"
         r"|cluster is partitioned|partial partition",
         "network_partition", 0.88, "the cluster is split: nodes do not see one another"),
    Sign(r"\bpath mtu\b[^\n]{0,60}(?:fail|too|exceed|black)|\bmtu\b[^\n]{0,40}(?:probe|mismatch|too (?:large|small))"
         r"|frag(?:mentation)? needed|\bmessage too long\b.{0,30}mtu|packet too big",
         "packet_loss", 0.88, "packets are lost: the path's MTU is smaller than the interface's"),
    Sign(r"configuration value '(?P<what>[\w:.]+)' (?:is not set|is missing|was not found)"
         r"|missing (?:required )?(?:configuration|setting|option) (?:value|key)s?:? [\"'`]?(?P<w2>[A-Z][\w:.]+)",
         "missing_env_var", 0.9, "a setting is missing"),
    Sign(r"no nodes were eligible for evaluation|all nodes (?:were )?filtered|\bplacement failures?\b"
         r"|resources exhausted on \d+ nodes|not enough (?:free )?slots",
         "unschedulable", 0.9, "no machine has room for it"),
    Sign(r"entered fatal state, too many start retries|exited too quickly \(process log may have details\)",
         "crash_loop", 0.7, "the process ends at each start"),
    Sign(r"exceeded your current quota|enhance your calm|quota (?:limit )?(?:has been )?reached",
         "rate_limited", 0.85, "rate limited: a quota is used up"),
    Sign(r"\bslow consumer\b|(?:consumer|group|partition) lag\b[^\n]{0,60}\b\d{4,}|\blag for (?:consumer )?group"
         r"|too many (?:unacknowledged|unacked|pending) messages|queue \S+ (?:default )?latency \d{3,}",
         "queue_backlog", 0.75, "the queue backs up: its consumers are too slow"),
    Sign(r"cache (?:is )?(?:disabled|unavailable|bypass\w*)|(?:falling back|fall back) to (?:the )?(?:database|origin)"
         r"|cache miss (?:ratio|rate)[ :=]+(?:[6-9]\d|100)(?:\.\d+)? ?%",
         "cache_failure", 0.7, "the cache does not serve: requests go to what is behind it"),
    Sign(r"\btablealterorcreateexception\b|cannot alter table|pendingmigrationerror|migrations? (?:are|is) pending"
         r"|invalid object name '(?P<what>[\w.]+)'|changesets? check ?sum|ORA-0094[24]\b|ORA-00904\b"
         r"|ambiguous column|no such column|missing from from-clause",
         "schema_migration", 0.93, "the database schema does not fit (migration)"),
    Sign(r"invalid wire-?format|invalidprotocolbuffer\w*|avrotypeexception|unknown magic byte|invalid wire type"
         r"|schema being registered is incompatible|incompatible with an earlier schema"
         r"|unsupported (?:message|schema|payload|format|event) version"
         r"|(?:unknown|unexpected) (?:schema|message|payload|event) version|no matches for kind",
         "version_mismatch", 0.8, "messages have a form that the reader does not know (another version)"),
    Sign(r"violates (?:foreign key|check|not-null|exclusion) constraint|cannot be null\b.{0,20}column"
         r"|column '\w+' cannot be null|integrity constraint violat\w*|ORA-0000[12]\b",
         "constraint_violation", 0.9, "a row breaks a rule of its table"),
    Sign(r"\bcrc (?:check )?(?:failed|error|mismatch)"
         r"|\b(?:loss|gradient|grad_norm|weights?)\b[ =:]+(?:is |are )?-?nan\b"
         r"|non-?finite (?:loss|gradient)|inf(?: or |/)nan\b",
         "data_corruption", 0.8, "the data are damaged"),
    Sign(r"system clock was stepped by -?[1-9]|clock (?:was )?(?:stepped|jumped) (?:back|forward|by)"
         r"|time (?:went|jumped|moved) backwards?",
         "clock_skew", 0.88, "the clock was set by a jump"),
    Sign(r"\bfunctionclauseerror\b|\bbadmatch\b|\bcaseclauseerror\b|\bmatcherror\b|no function clause matching",
         "code_defect", 0.7, "the program fails on a value"),
    Sign(r"\bLEAK: bytebuf|was not (?:closed|released) before (?:it|being) (?:is |was )?garbage",
         "memory_leak", 0.6, "something is not given back: a leak"),
    Sign(r"sasl \w+ authentication failed|auth(?:entication)? fail(?:ed|ure)s?\b[^\n]{0,60}\brip="
         r"|imap-login: [^\n]{0,60}auth failed|pop3-login: [^\n]{0,60}auth failed"
         r"|530 login (?:incorrect|authentication failed)|no auth attempts in",
         "brute_force", 0.6, "many failed logins (brute force)"),
    Sign(r"\" 5\d\d (?:[A-Z]+,)*(?:UF|UH|UC|URX|LH)\b",
         "dependency_down", 0.6, "the proxy does not reach the service behind it"),
    Sign(r"\" 5\d\d (?:[A-Z]+,)*(?:UT|SI)\b",
         "dependency_slow", 0.6, "the service behind the proxy does not answer in time"),
    Sign(r"\" 429 (?:[A-Z]+,)*RL\b", "rate_limited", 0.85, "rate limited by the proxy"),
    Sign(r"\" 503 (?:[A-Z]+,)*UO\b",
         "dependency_down", 0.6, "the proxy's circuit breaker is open: the service behind is overloaded"),
    Sign(r"etcdserver: no leader|\bdrive: \S+ is offline|drive (?:is )?offline|(?:taskmanager|worker) [^\n]{0,80}"
         r"no longer reachable|\bmissed heartbeat from (?P<what>[\w@.-]+)",
         "dependency_down", 0.76, "a member is gone"),
    Sign(r"signal 9 \(sigkill\)|\bnegsignal\.sigkill\b|exit (?:status|code):? 137\b|return code -9\b",
         "out_of_memory", 0.75, "killed by SIGKILL, most often for want of memory"),
    Sign(r"timed out[^\n]{0,40} while (?:reading|sending to|waiting for)\b",
         "dependency_slow", 0.62, "the other side took the connection and did not answer in time"),
    Sign(r"connection leak detect(?:ion|ed)|(?:apparent|possible) connection leak|leaked (?:jdbc )?connection",
         "connection_pool_exhaustion", 0.8, "connections are not given back to their pool"),
    Sign(r"pool\w*\b[^\n]{0,20}\bno connections? (?:is |are |was )?available"
         r"|no connections? available (?:within|after|in)\b"
         r"|pool timed out while waiting|acquisition timeout while waiting for (?:a )?(?:new )?connection"
         r"|maximum number of connections from (?:user|ip)|maximum connections exceeded",
         "connection_pool_exhaustion", 0.93, "the connections are used up"),
    Sign(r"bulkhead \S+ is full|\[pool \S+\] seems busy|no (?:idle|free) workers? (?:left|available)",
         "thread_pool_exhaustion", 0.85, "the workers that serve requests are used up"),
    Sign(r"\bwarning: data race\b|^\s*--- FAIL: |\bexpect\((?:received|\w+)\)\.\w+|\berror\[E\d{4}\]"
         r"|cuda error: (?:an illegal|device-side|misaligned|invalid)|unhandled promise ?rejection",
         "code_defect", 0.6, "the program or its test fails"),
    Sign(r"\bdata (?:52e|530|531|532|533|701|773|775)\b[^\n]{0,10}v[0-9a-f]+|ldap: error code 49\b",
         "credential_expired", 0.85, "the directory refuses the account's password (expired, wrong or locked)"),
    Sign(r"\bzone (?P<what>[\w.-]+)/IN(?:/\w+)?: (?:expired|not loaded|refresh: (?:retry limit|could not))",
         "dns_failure", 0.9, "DNS: a zone cannot be refreshed or has expired"),
    Sign(r"arithmetic overflow error converting identity|identity column .{0,40}(?:overflow|exhaust)",
         "constraint_violation", 0.95, "the numbers of a key are used up"),
    Sign(r"\(pid \d+\) is killed by signal: killed", "out_of_memory", 0.93, "killed, most often for want of memory"),
    Sign(r"\bslow request osd_op|\bslow requests?, \d+ included below|pgs? (?:are |is )?(?:laggy|stuck)"
         r"|heartbeat_check: no reply",
         "dependency_slow", 0.8, "storage answers too slowly"),
    Sign(r"tls handshake error from \S+: remote error: tls: (?:bad|expired|unknown) certificate",
         "certificate_expired", 0.98, PRESENTED),
    Sign(r"\bwriteconflict\b|write conflict during", "lock_contention", 0.75, "writers of the same rows conflict"),
    Sign(r"inequivalent arg '(?P<what>[\w-]+)'|bigger than 'max_allowed_packet'|could not load"
         r" \S+\.(?:conf|cnf|ya?ml|toml)"
         r"|unsupported argument\b|unmarshal\w* (?:of )?config[^\n]{0,60}unknown field|config for \S+ rejected",
         "bad_config", 0.97, "bad configuration"),
    Sign(r"delivery acknowledgement on channel \d+ timed out|resource limits exceeded for account"
         r"|publishing into a queue over its limit|queue (?:length|depth) limit",
         "queue_backlog", 0.75, "messages pile up: they are not consumed in time"),
    Sign(r"\bpermissions violation for (?:publish|subscri)|selinux is preventing|\bnot in (?:the )?sudoers\b"
         r"|not authorized to access (?:topics|group)",
         "permission_denied", 0.9, "permission denied"),
    Sign(r"tls key negotiation failed to occur|handshake (?:for peer [^\n]{0,60})?did not complete after \d+ seconds",
         "network_partition", 0.75, "the other side of the tunnel does not answer"),
    Sign(r"fallen off the bus|\bxid \([^)]*\): (?:48|62|63|64|74|79|92|94|95)\b|uncorrectable ecc error"
         r"|(?:agent|runner) (?:went|is|was) (?:offline|lost)",
         "node_not_ready", 0.85, "a machine, or its device, failed"),
    Sign(r"collective operation timeout|\b\d+ slow ops\b|has slow ops\b",
         "dependency_slow", 0.8, "a member answers too slowly"),
    Sign(r"unexpected inconsistency|run fsck manually|replica set rollback",
         "data_corruption", 0.85, "the data are damaged"),
    Sign(r"log dir(?:ectory)? \S+ (?:is )?(?:marked )?offline|disk is at (?:9[5-9]|100) ?%",
         "disk_full", 0.76, "the disk is full or failed"),
    Sign(r"\bAUTH_FAILED\b|\[1045\] access denied|error 1045|ORA-01017|ORA-28000|ORA-28001",
         "credential_expired", 0.85, "credentials are expired or refused (authentication failed)"),
    Sign(r"failed to solve: [\w./:@-]+: (?:not found|failed to resolve)",
         "image_pull_failure", 0.9, "the base image cannot be found"),
    Sign(r"\bGLIBC(?:XX)?_[\d.]+'? not found|does not support authentication protocol requested",
         "version_mismatch", 0.9, "a version does not fit: the library or client is too old"),
    Sign(r"out of range value for column '(?P<what>\w+)'|reached maximum value of sequence \"?(?P<w2>\w+)"
         r"|failed to read auto-?increment value|(?:integer|numeric value) out of range",
         "constraint_violation", 0.9, "a value does not fit its column"),
    Sign(r"didn't trigger scale-up|max node group size reached", "unschedulable", 0.85, "no node can be added for it"),
    Sign(r"target group health check failed|health checks? failed with these codes",
         "probe_failure", 0.85, "health checks fail"),
    Sign(r"heartbeat (?:is |was )?(?:missing|overdue|lost)\b|has not (?:run|checked in|reported) (?:since|for)\b",
         "heartbeat_missing", 0.8, "a heartbeat is missing"),
    Sign(r"container restarted \d+ times|does not have minimum availability",
         "crash_loop", 0.5, "the container is started again and again"),
    Sign(r"health check for (?:backup )?server \S+ failed, reason: layer7 (?:wrong status|invalid response)",
         "probe_failure", 0.8, "health checks fail: the server answers, but not as the check wants"),
    Sign(r"plugin/errors: \d+ (?P<what>[\w-][\w.-]*?)\.? (?:A|AAAA|SRV|MX|TXT|CNAME|PTR|HTTPS): "
         r"|(?:timed out|connection refused|(?:host|network) unreachable|servfail|refused) (?:unexpected rcode )?"
         r"resolving ['\"](?P<w2>[\w-][\w.-]*)|\bservfail <(?P<w3>[\w-][\w.-]*?)\.? \w+ IN>"
         r"|dnssec validation failed for question (?P<w4>[\w-][\w.-]*)|\bdnsmasq\b.*\bnameserver \S+ refused",
         "dns_failure", 0.93, "DNS: the resolver gets no answer for a name"),
    Sign(r"\+[so]down master\b", "dependency_down", 0.95, "Redis Sentinel declared the master down"),
    Sign(r"(?:http|dns|tls-alpn)-01\b.{0,60}(?:fail|error|invalid|denied)|propagation check failed"
         r"|acme: .{0,60}(?:fail|error|invalid|denied|unauthori)"
         r"|acme .{0,30}challenge.{0,30}(?:fail|error|invalid|denied)",
         "certificate_expired", 0.9, f"{NOT_RENEWED}: the ACME challenge fails"),
    Sign(r"ssl alert number 4[2-6]\b|alert (?:bad certificate|certificate (?:expired|revoked|unknown))"
         r"|remote error: tls: (?:bad|expired|revoked|unknown) certificate",
         "certificate_expired", 0.97, "its peers refuse its SSL/TLS certificate"),
    Sign(r"clock ?skew (?:is )?too (?:great|large|big)|system clock (?:is )?wrong by|no selectable sources"
         r"|clock (?:is )?(?:not synchroni[sz]ed|unsynchroni[sz]ed|out of sync|drift\w*|jumped|went backwards?)"
         r"|requesttimetooskewed|request time too skewed|clock offset.{0,30}(?:exceed|too (?:large|high|big))"
         r"|clocks? .{0,40}(?:not in sync|differ)|clock (?:skew|drift) .{0,30}(?:detected|exceed|above|between)",
         "clock_skew", 0.95, "the clock of a machine is wrong"),
    Sign(r"(?:token|jwt)\b.{0,40}(?:used before issued|not (?:yet )?valid (?:before|yet)|is not yet valid|issued in the"
         r" future)|immature ?signature|\b(?:iat|nbf)\b.{0,30}(?:future|not yet|before|check failed)",
         "clock_skew", 0.85, "a token is refused as not yet valid: two clocks differ"),
    Sign(r"error while loading shared libraries: (?P<what>[\w.+-]+)|image not found.{0,20}\.dylib"
         r"|library not loaded: (?P<w2>\S+)",
         "bad_deploy", 0.9, "a shared library that the program needs is not installed"),
    Sign(r"not (?:sufficient|enough) followers synced",
         "network_partition", 0.85, "the quorum of the ensemble is lost"),
    Sign(r"misconf redis", "cache_failure", 0.98, "the cache (Redis) fails: it refuses writes"),
    Sign(r"insufficient free (?:space|extents)|no free extents",
         "disk_full", 1.0, "the volume group or the disk has no space left"),
    Sign(r"could not find or verify user:? [\"'`]?(?P<what>[\w.-]+)|log-?in refused: user [\"'`]?(?P<w2>[\w.-]+)",
         "credential_expired", 0.8, "credentials are expired or refused (authentication failed)"),
)
"""In order of what they are about: resources, configuration, connections, members, credentials."""
# fmt: on
