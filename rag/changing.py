"""Whether a step that a model proposes changes something: commands by their verbs, advice by its first word.

A list of verbs is never complete: it is there so that no one copies a command at 3 a.m. that a line of a log suggested.
"""

from __future__ import annotations

import re
from typing import Final

_TOOL: Final = re.compile(
    r"\b(?:kubectl|oc|helm|kustomize|argocd|flux|docker|podman|nerdctl|crictl|aws|gcloud|az|eksctl|git|gh|systemctl"
    r"|supervisorctl|terraform|tofu|pulumi|ansible\w*|nomad|consul|vault|etcdctl|redis-cli|mysqladmin|pg_ctl\w*"
    r"|kafka-[\w-]+|rabbitmqctl|zfs|lvm?|apt(?:-get)?|yum|dnf|pip|npm)\b(?P<rest>[^|;&\n]{0,300})",
    re.IGNORECASE,
)
_VERB: Final = re.compile(
    r"(?<![\w./=-])(?:delete|apply|patch|edit|scale|drain|cordon|uncordon|taint|exec|replace|restart|reload|undo|uninstall"
    r"|install|upgrade|rollback|sync|destroy|stop|start|kill|rm|rmi|prune|push|reset|revert|clean|create|set|unset|annotate"
    r"|label|cp|mv|import|taint|untaint|disable|enable|mask|purge\w*|flushall|flushdb|del|unlink|shutdown|promote|failover"
    r"|(?:terminate|delete|stop|start|reboot|modify|put|update|create|detach|attach|revoke|authorize|deregister|cancel|reset"
    r"|run|send|set|add|remove)-[\w-]+|update|write|token|--(?:alter|delete|reset-offsets|replicas=\d+|force|hard))(?![\w./=-])",
    re.IGNORECASE,
)
_SQL: Final = (
    r"\b(?:drop|truncate|alter|create)\s+(?:table|database|schema|index|user|role|view)\b"
    r"|\btruncate\s+\w|\bdelete\s+from\b|\binsert\s+into\b|\bupdate\s+\w+\s+set\b"
    r"|\b(?:grant|revoke)\s+\w+.{0,80}\b(?:to|from)\b|\bpg_(?:terminate|cancel)_backend|\bflush(?:all|db)\b"
)
_SHELL: Final = (
    r"\brm\s+(?:-\w+\s+)*[\w./~*$-]+|\b(?:kill|pkill|killall)\s+(?:-\w+\s+)?[\w$-]+"
    r"|\b(?:shutdown|reboot|halt|poweroff)\b(?=\s*(?:-|now|$))"
    r"|\bservice\s+[\w@.-]+\s+(?:stop|start|restart|reload)\b"
    r"|\b(?:chmod|chown|mkfs\S*|fdisk|iptables|nft|sysctl\s+-w|sed\s+-i|tee|dd\s+if=|mv|crontab\s+-[er])\s"
    r"|>{1,2}\s*[/~$]|>>\s*\w|\beval\b|base64\s+(?:-d|--decode)"
    r"|\b(?:curl|wget)\b[^|]*\|\s*(?:sudo\s+)?(?:ba|z)?sh\b"
    r"|\b(?:curl|wget)\b.*\s(?:-X\s*|--request[ =])(?:POST|PUT|PATCH|DELETE)\b"
    r"|\bdisable\s+(?:auth|tls|logging|audit|firewall)"
)
_OTHER: Final = re.compile(f"{_SQL}|{_SHELL}", re.IGNORECASE)
_ADVICE: Final = re.compile(
    r"\W*(?:if [^,]{1,80}, )?(?:then )?(?:please )?(?:restart|reboot|roll|revert|scale|delete|remove|drop|kill|stop"
    r"|increase|raise|lower|reduce|deploy|redeploy|apply|drain|disable|enable|change|set|fix|update|upgrade|downgrade"
    r"|replace|rotate|renew|patch|fail)\b",
    re.IGNORECASE,
)


def changing_command(step: str) -> str | None:
    """The command in a step that changes something; None where there is none."""
    for tool in _TOOL.finditer(step):
        verb = _VERB.search(tool["rest"])
        if verb is not None:
            return step[tool.start() : tool.start("rest") + verb.end()]
    other = _OTHER.search(step)
    return other[0].strip() if other else None


def advises_a_change(step: str) -> bool:
    """Whether a step in words begins with one: "restart payment"."""
    return _ADVICE.match(step) is not None
