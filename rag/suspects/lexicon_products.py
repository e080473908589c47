"""What servers, storage and cluster managers say of themselves: the part of the lexicon that is words of products.

Read together with `lexicon.SIGNS`, by the same rules. The messages are those of the products' own sources and manuals:
MySQL, PostgreSQL, MongoDB, Elasticsearch, Kafka, etcd, HAProxy, nginx, Ceph, Linux, Consul, Nomad, Spark and others.
"""

from __future__ import annotations

from typing import Final

from rag.suspects.lexicon import NOT_RENEWED, Sign

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
