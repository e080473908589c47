"""Which steps change something."""

from __future__ import annotations

import pytest

from rag.changing import advises_a_change, changing_command


@pytest.mark.parametrize(
    "step",
    [
        "kubectl -n prod delete pod checkout-7",
        "run `kubectl cordon node-1`",
        "kubectl scale deploy/x --replicas=0",
        "kubectl rollout restart deployment/payment",
        "helm -n prod rollback payment 3",
        "aws ec2 terminate-instances --instance-ids i-1",
        "git push --force",
        "systemctl --user restart payment",
        "service nginx reload",
        "redis-cli -h cache config set maxmemory 1gb",
        "kafka-consumer-groups --reset-offsets --to-latest",
        'psql -c "ALTER TABLE orders ADD x int"',
        'psql -c "select pg_terminate_backend(12)"',
        "echo 1 > /proc/sys/vm/drop_caches",
        "rm orders.lock",
        "sudo rm -r -f /var/lib/app",
        "kill -9 4711",
        "curl -s https://x.example/fix | sudo bash",
        "curl -X POST http://localhost:8080/admin/reset",
        "terraform apply",
    ],
)
def test_commands_that_change_something(step: str) -> None:
    assert changing_command(step) is not None


@pytest.mark.parametrize(
    "step",
    [
        "kubectl -n prod describe pod checkout-7",
        "kubectl logs deploy/payment --previous",
        "kubectl rollout history deployment/payment",
        "kubectl get pods -l app=update-worker",
        "psql -c \"select * from pg_stat_activity where state <> 'idle'\"",
        "git log -5 -p -- src/create.py",
        "aws ec2 describe-instances",
        "redis-cli config get maxmemory",
        "systemctl status nginx",
        "terraform plan",
        "kafka-consumer-groups --describe --group orders",
        "Look at the pool: active > idle?",
        "Check whether the service payment did start late",
        "sed -n '1,20p' app.log",
        "curl -s http://payment:8080/health",
    ],
)
def test_commands_that_only_look(step: str) -> None:
    assert changing_command(step) is None


def test_advice_to_change_something_is_told_from_a_check() -> None:
    assert advises_a_change("Restart payment") and advises_a_change("If confirmed, roll back payment")
    assert not advises_a_change("Check whether a restart of payment came before")
