"""Numbered steps at which a fault test may kill or freeze this process, to prove that nothing is lost there.

`ATTUNE_FAILPOINT=consume.before_commit` kills the process with SIGKILL when it reaches that step;
`ATTUNE_FAILPOINT=consume.before_commit@3` when it reaches it for the third time;
`ATTUNE_FAILPOINT=relay.after_select:stop` freezes it there with SIGSTOP, until somebody sends SIGCONT.
The kit's own steps: consume.before_commit, consume.after_commit (and the same for request., replay., turn.),
relay.after_select, relay.after_send, relay.after_delete.
"""

import os
import signal
from collections import Counter

VARIABLE = "ATTUNE_FAILPOINT"

_reached: Counter[str] = Counter()


def reach(step: str) -> None:
    """Marks a step; the process ends or freezes here if a fault test asked for it."""
    wanted = os.environ.get(VARIABLE)
    if wanted is None:
        return
    place, _, time = wanted.partition("@")
    name, _, how = place.partition(":")
    if name != step:
        return
    _reached[step] += 1
    if _reached[step] == int(time or 1):
        os.kill(os.getpid(), signal.SIGSTOP if how == "stop" else signal.SIGKILL)
