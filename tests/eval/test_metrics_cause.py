"""Which names mean the same, and the rank of the first right one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.metrics_cause import (
    MATCHERS,
    function_parts,
    path_parts,
    rank_of,
    same_component,
    same_function,
    same_service,
    same_word,
)


@pytest.mark.parametrize(
    ("predicted", "labelled", "same"),
    [
        ("Checkout", "checkout", True),
        ("nova/nova-api", "nova", True),
        ("user_service", "user-service", True),
        ("checkout-7d9f8b6c5d-x2k4j", "checkout", True),
        ("checkout-canary", "checkout", False),
        ("check", "checkout", False),
    ],
)
def test_services(predicted: str, labelled: str, same: bool) -> None:
    assert same_service(predicted, labelled) is same


@pytest.mark.parametrize(
    ("predicted", "labelled", "same"),
    [
        ("inventory/db/store.py", "inventory/db/store.py", True),
        ("/app/src/inventory/db/store.py", "inventory/db/store.py", True),
        ("store.py", "inventory/db/store.py", True),
        ("inventory.db.store", "inventory/db/store.py", True),
        ("inventory\\db\\store.py", "db/store.py", True),
        ("deployment/checkout", "Deployment/checkout", True),
        ("inventory/db/restore.py", "store.py", False),
        ("users/db/store.py", "inventory/db/store.py", False),
        ("pod/web-1", "deployment/web-1", False),
        ("com.shop.pay.Client", "com/shop/pay/Client.java", True),
    ],
)
def test_components(predicted: str, labelled: str, same: bool) -> None:
    assert same_component(predicted, labelled) is same


@pytest.mark.parametrize(
    ("predicted", "labelled", "same"),
    [
        ("Store.replace", "replace", True),
        ("replace()", "Store.replace", True),
        ("main.(*Server).Serve", "main", True),
        ("Store.displace", "replace", False),
        ("Cart.add", "Stock.add", False),
        ("shop::pay::charge", "pay.charge", True),
    ],
)
def test_functions(predicted: str, labelled: str, same: bool) -> None:
    assert same_function(predicted, labelled) is same


def test_words() -> None:
    assert same_word("Out-of memory", "out_of_memory")
    assert not same_word("out_of_memory", "memory_leak")


names = st.text("abc./-_():\\ ", max_size=12)


@given(names, names)
def test_matching_is_symmetric_and_knows_itself(a: str, b: str) -> None:
    for same in MATCHERS.values():
        assert same(a, b) == same(b, a)
    assert same_service(a, a) and same_word(a, a)
    assert same_component(a, a) is bool(path_parts(a))
    assert same_function(a, a) is bool(function_parts(a))


def test_ranks_count_suspects_that_name_nothing() -> None:
    assert rank_of("service", ["users", None, "payment", "payment"], ["payment"]) == 3
    assert rank_of("service", ["users"], ["payment"]) == 0
    assert rank_of("service", [], ["payment"]) == 0
    assert rank_of("fault_type", ["dns-failure"], ["slow_query", "dns_failure"]) == 1
