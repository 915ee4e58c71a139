"""W3C trace context: one thread through everything that one request causes."""

import os
import re
from contextvars import ContextVar

current: ContextVar[str | None] = ContextVar("traceparent", default=None)
"""The trace of the HTTP request being served, if any."""

_FORM = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def child_of(traceparent: str | None) -> str:
    """A new span in the same trace; a new trace if there is none or it is malformed."""
    if traceparent is not None and _FORM.fullmatch(traceparent):
        version, trace, _, flags = traceparent.split("-")
        return f"{version}-{trace}-{os.urandom(8).hex()}-{flags}"
    return f"00-{os.urandom(16).hex()}-{os.urandom(8).hex()}-01"
