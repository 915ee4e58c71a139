"""The failures that mean something to the kit; every other exception is a fault that may pass."""


class Rejected(Exception):
    """This event will never work: it is parked in the dead letters under a code such as `bad_schema`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotYet(Exception):
    """A fact that another stream has not brought yet; the event waits in its place, for a bounded time."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class Contended(Exception):
    """Others who were at the same thing came first each time; it works once they are done."""


class KeyDestroyed(Exception):
    """The subject was erased: nothing of theirs can be sealed or opened any more. A normal outcome."""


class Fatal(Exception):
    """The process cannot go on and must end non-zero; its text is for the operator."""
