# ruff: noqa: E501 (log texts stay on one line, as programs write them)
"""Faults of the ways between programs: names, routes, ports, lost packets."""

from __future__ import annotations

from eval.simulator import platform
from eval.simulator.background import syslog
from eval.simulator.faults.base import Fault, Planted, Setting
from eval.simulator.labels import RootCause
from eval.simulator.shop import USERS_OF
from eval.simulator.world import PORTS

_OUTBOUND = {
    "checkout": ("users", "inventory", "payment", "redis", "postgres"),
    "payment": ("postgres", "psp"),
    "inventory": ("postgres", "redis"),
    "users": ("postgres", "redis"),
    "worker": ("postgres", "smtp"),
}


def dns_failure(setting: Setting) -> Planted:
    """The cluster's resolver fails for a part of the look-ups, or one outside name no longer exists."""
    w = setting.world
    if setting.target in ("psp", "smtp"):
        owner = {"psp": "payment", "smtp": "worker"}[setting.target]
        host = w.host(setting.target)
        setting.fail(f"edge:{owner}>{setting.target}", setting.sometimes(1.0, setting.failure("dns", 0.03, 502)))

        def answer(t: float) -> None:
            client = w.services[owner].pods[0].ip
            w.write(
                t,
                "coredns",
                f'[INFO] {client}:{setting.rng.randrange(32768, 60999)} - {setting.rng.randrange(1, 65535)} "A IN {host}. udp 48 false 512" NXDOMAIN qr,rd,ra 116 0.0{setting.rng.randrange(10, 60)}s',
                setting.id,
            )

        setting.repeat(12, 8, answer)
        text = f"The name {host} no longer resolves (NXDOMAIN): {owner} cannot reach it"
        return Planted(
            RootCause(owner, f"external/{host}", "dns_failure", text),
            "Customers cannot pay" if owner == "payment" else "Mails do not go out",
        )
    share = setting.rng.uniform(0.3, 0.7)
    for caller, targets in _OUTBOUND.items():
        for target in targets:
            if target != "postgres":
                setting.fail(
                    f"edge:{caller}>{target}",
                    setting.sometimes(
                        share if target != "redis" else share / 3, setting.failure("dns", w.rng.uniform(0.1, 1.5), 502)
                    ),
                )

    def complain(t: float) -> None:
        name = setting.choose("payment", "inventory", "users", "redis")
        ip = f"{w.style.subnet}.0.{setting.rng.randrange(2, 9)}"
        w.write(
            t,
            "coredns",
            f"[ERROR] plugin/errors: 2 {name}.{w.style.namespace}.svc.cluster.local. A: read udp {ip}:{setting.rng.randrange(32768, 60999)}->{w.style.subnet}.0.2:53: i/o timeout",
            setting.id,
        )

    setting.repeat(3, 2.5, complain)
    platform.event(
        w,
        setting.start + 4,
        "Pod",
        "coredns-5d78c9869d-" + w.style.pick("coredns/pod", ("k2x9v", "t4hzq", "bw8nm")),
        "Unhealthy",
        "Readiness probe failed: HTTP probe failed with statuscode: 503",
        True,
        setting.id,
    )
    text = "The resolver of the cluster (coredns) times out: services cannot find each other by name"
    return Planted(
        RootCause("coredns", "deployment/coredns", "dns_failure", text), "Many different requests fail at random"
    )


def network_partition(setting: Setting) -> Planted:
    """A service can no longer be reached (nor reach its stores): packets on the way are dropped."""
    w, service = setting.world, setting.target
    policy = setting.choose("default-deny", f"restrict-{service}", "tenant-isolation")
    by_policy = setting.rng.random() < 0.6
    if by_policy:
        platform.delivery(
            w,
            setting.start - 3,
            f"networkpolicy.networking.k8s.io/{policy} created",
            "network-policies",
            setting.change,
            kind="NetworkPolicy",
            namespace=w.style.namespace,
        )
        component, how = f"networkpolicy/{policy}", f"the new network policy {policy} cuts it off"
    else:
        node = w.services[service].pods[0].node
        syslog(
            w,
            setting.start - 1,
            node,
            "kernel",
            f"[{w.style.number('uptime/' + node, 90_000, 900_000) + setting.start:.6f}] bond0: link status definitely down for interface eth1, disabling it",
            setting.id,
        )
        component, how = f"node/{node}", f"the link of {node} went down"
    failure = setting.failure("no_route", 3.0, 504)
    for caller in ("gateway", *USERS_OF.get(service, ())):
        setting.fail(f"edge:{caller}>{service}", setting.sometimes(1.0, failure))
    for target in _OUTBOUND[service]:
        setting.fail(f"edge:{service}>{target}", setting.sometimes(1.0, failure))
    text = f"{service} is cut off from the network: {how}"
    return Planted(
        RootCause(service, component, "network_partition", text),
        setting.choose(f"{service} cannot be reached", "Requests hang for seconds and then fail"),
    )


def packet_loss(setting: Setting) -> Planted:
    """A node loses packets: calls through it are late, and some are cut."""
    w, service = setting.world, setting.target
    share = setting.rng.uniform(0.12, 0.3)
    node = w.services[service].pods[0].node
    for caller in ("gateway", *USERS_OF.get(service, ())):
        site = f"edge:{caller}>{service}"
        setting.slow(site, lambda t, tag: w.rng.choice((0.2, 0.4, 0.8, 1.6)) if w.rng.random() < 2 * share else 0.0)
        setting.fail(site, setting.sometimes(share, setting.failure(setting.choose("reset", "timeout"), 1.0, 502)))
    for target in _OUTBOUND[service]:
        setting.slow(
            f"edge:{service}>{target}", lambda t, tag: w.rng.choice((0.2, 0.4, 0.8)) if w.rng.random() < share else 0.0
        )
        setting.fail(f"edge:{service}>{target}", setting.sometimes(share / 3, setting.failure("reset", 0.4, 502)))
    message = setting.choose(
        "ena 0000:00:05.0 eth0: TX hasn't completed, qid 3, index {n}. {n} usecs from last napi execution",
        "ixgbe 0000:01:00.0 eth0: Detected Tx Unit Hang",
        "nf_conntrack: nf_conntrack: table full, dropping packet",
    )
    uptime = w.style.number(f"uptime/{node}", 90_000, 900_000)
    setting.repeat(
        20,
        12,
        lambda t: syslog(
            w, t, node, "kernel", f"[{uptime + t:.6f}] {message.format(n=setting.rng.randrange(100, 9000))}", setting.id
        ),
    )
    text = f"The node {node} loses packets: calls to and from {service} are late or cut"
    return Planted(RootCause(service, f"node/{node}", "packet_loss", text), "Requests are slow now and then, some fail")


def connection_refused(setting: Setting) -> Planted:
    """A service runs but does not listen where its callers call: its port was changed."""
    w, service = setting.world, setting.target
    right = PORTS[service]
    wrong = right + setting.choose(1, 10, 1000)
    key = {"checkout": "PORT", "users": "PORT", "payment": "server.port", "inventory": "LISTEN_ADDR"}[service]
    platform.delivery(
        w,
        setting.start,
        f"configmap/{service}-config configured",
        service,
        setting.change,
        kind="ConfigMap",
        change=f'"{key}: {right} -> {wrong}"',
    )
    s = w.services[service]

    def listen() -> None:
        w.listening[service] = wrong

    def unlisten() -> None:
        w.listening.pop(service, None)

    setting.during(listen, unlisten)
    done = platform.rollout(w, setting.start + 1, service, setting.change, same_version=True)
    refused = setting.failure("refused", 0.002, 502)
    setting.fail(f"service:{service}", setting.sometimes(0.5, refused), (setting.start + done) / 2)
    setting.fail(f"service:{service}", setting.sometimes(1.0, refused), done)

    def probe(t: float) -> None:
        pod = setting.rng.choice(s.pods)
        platform.event(
            w,
            t,
            "Pod",
            pod.name,
            "Unhealthy",
            f"Readiness probe failed: dial tcp {pod.ip}:{right}: connect: connection refused",
            True,
            setting.id,
        )

    setting.repeat(20, 6, probe, done)
    text = f"{service} listens on port {wrong} since its configuration changed; its callers still use {right}"
    return Planted(
        RootCause(service, f"configmap/{service}-config", "connection_refused", text),
        setting.choose(f"{service} is down", "The gateway answers 502"),
    )


FAULTS = (
    Fault("dns_failure", ("coredns", "psp", "smtp"), dns_failure, "names do not resolve"),
    Fault(
        "network_partition", ("payment", "inventory", "users", "checkout"), network_partition, "a service is cut off"
    ),
    Fault("packet_loss", ("payment", "inventory", "users"), packet_loss, "a node loses packets"),
    Fault(
        "connection_refused",
        ("payment", "inventory", "users", "checkout"),
        connection_refused,
        "a service listens on the wrong port",
    ),
)
