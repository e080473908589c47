"""Words that name opposite events. Where both of a pair stand at one place of similar messages, the place says what
happened; and none of them is a value that a message reports of something."""

from __future__ import annotations

from typing import Final

_PAIRS: Final = """
    accept/reject accepted/denied accepted/rejected acquire/release acquired/released activated/deactivated
    active/inactive add/remove added/removed alive/dead allow/deny allowed/denied attach/detach attached/detached
    available/unavailable begin/end bound/unbound connect/disconnect connected/disconnected create/delete
    create/destroy created/deleted created/destroyed enable/disable enabled/disabled enter/leave entered/left
    entering/leaving established/closed found/missing granted/denied healthy/unhealthy in/out increased/decreased
    install/uninstall installed/removed join/leave joined/left load/unload loaded/unloaded lock/unlock
    locked/unlocked login/logout matched/mismatched mount/unmount mounted/unmounted off/on ok/failed online/offline
    open/close opened/closed passed/failed paused/resumed permitted/denied raised/cleared reachable/unreachable
    ready/notready registered/unregistered registering/unregistering start/stop started/stopped starting/stopping
    subscribed/unsubscribed succeeded/failed success/failed success/failure suspend/resume suspended/resumed
    up/dn up/down valid/invalid yes/no
"""

EVENTS: Final = frozenset(word for pair in _PAIRS.split() for word in pair.split("/"))
"""Words, in lower case, that say what happened."""
