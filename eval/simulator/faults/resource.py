# ruff: noqa: E501 (log texts stay on one line, as programs write them)
"""Resources that run out."""

from __future__ import annotations

from eval.simulator import platform
from eval.simulator.code import OWN
from eval.simulator.faults.base import Fault, Planted, Setting
from eval.simulator.labels import RootCause
from eval.simulator.world import Effect, Failure

_STATEMENT_PLACES = {
    "payment": "db.append_ledger",
    "inventory": "db.reserve_stock",
    "checkout": "db.load_order",
    "users": "db.find_account",
}


def pool_exhausted(setting: Setting) -> Planted:
    """Connections leave the pool and do not come back: a new version leaks them, or a setting leaves too few.

    Callers wait for a connection until the acquisition times out; their callers time out first and try again.
    """
    w, service = setting.world, setting.target
    s = w.services[service]
    if service == "payment" and setting.rng.random() < 0.5:
        small = setting.rng.choice((2, 3))
        key = "spring.datasource.hikari.maximum-pool-size"
        done = platform.configure(w, setting.start, service, key, setting.change, str(s.pool.size), str(small))

        def shrink(t: float) -> None:
            s.pool.resize(small, t)
            s.pool.cause = s.threads.cause = setting.id
            w.facts["settlement_seconds"] = setting.rng.uniform(45, 70)

        w.at(done, shrink)
        component = f"configmap/{service}-config"
        text = f"The configuration of {service} cut its database connection pool to {small}; the settlement batch holds them, charges wait until they time out"
    else:
        share = setting.rng.uniform(0.10, 0.3)
        done = platform.rollout(w, setting.start, service, setting.change)

        def leak(_: float) -> None:
            s.pool.cause = s.threads.cause = setting.id

        w.at(done + 0.1, leak)
        w.add(
            f"leak:{service}",
            Effect(setting.id, failure=lambda t, tag: Failure("leak", None) if w.rng.random() < share else None),
            done,
            setting.end,
        )
        component = OWN[service][_STATEMENT_PLACES[service]][0]
        text = f"The new version of {service} does not return database connections to its pool; once all are gone, requests wait until they time out"
    symptom = setting.rng.choice(
        (
            "Customers report that checkout hangs",
            "Requests take very long and then fail",
            f"Latency of {service} climbed and requests now time out",
        )
    )
    return Planted(RootCause(service, component, "connection_pool_exhaustion", text), symptom)


FAULTS = (
    Fault(
        "connection_pool_exhaustion",
        ("payment", "checkout", "inventory", "users"),
        pool_exhausted,
        summary="pool leaks or is cut; callers wait",
    ),
)
