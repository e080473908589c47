"""Wording that must not be read as a failure: words of failure that report none, and the end of trouble."""

from __future__ import annotations

from typing import Final

HARMLESS: Final = (
    r"\b(?:0|no|zero) (?:errors?|failures?|warnings?|problems?|issues?|timeouts?)\b"
    r"|(?:(?<![a-z])error|errors|failed|failures?|warnings?|timeouts?|retries|dropped|lag)[\"']?\s*[=:]\s*[\"']?(?:0|false|none|null"
    r"|no(?! \w))\b"
    r"|without (?:any )?(?:errors?|problems?)|\berror[_ ]?(?:handler|reporting|budget|page|log)s?\b"
    r"|no logs found|possible reasons?|to avoid (?:data )?(?:inconsistenc|corruption)\w*"
    r"|\b(?:might|may) (?:not |be )[^.]*|\bif (?:this|the|you)\b[^.]*(?:persist|issue|error)[^.]*"
    r"|retry(?:ing)? (?:succeeded|successful)|\bon retry\b|log range|log source"
    r"|connection (?:closed|reset) by [^\n]{0,80}\[preauth\]"
    r"|perf: interrupt took too long[^\n]*|failed to [^\n]{0,80}, trying (?:the )?next\b"
    r"|exit (?:code|status):? \d+(?=\s*(?:\\n)?\s*std(?:out|err)\b)|\bjob failed: exit (?:code|status):? \d+"
    r"|failed to validate connection [^\n]{0,300}maxlifetime[^\n]*"
)
"""Wording that uses words of failure and reports none: zero counts, names of handlers, advice of tools. Left out of a
text before it is read."""

RECOVERED: Final = (
    r"(?<!be )(?<!not )(?<!never )(?<!-)\b(?:recovered|resolved|back to normal|restored"
    r"|healthy again|reconnected|cleared"
    r"|is now (?:healthy|ready|up)"
    r"|succeeded|successfully|no longer (?!reachable|available|respond|connect|exist|valid|accessib|alive|able|accept"
    r"|a member|part of)|circuit ?breaker.{0,20}closed|state (?:is )?(?:now )?(?:up|healthy))\b"
)
"""The end of trouble, not its start."""
