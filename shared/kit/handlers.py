"""Which function answers which event."""

import inspect
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_type_hints

from shared.contract.event import Event
from shared.kit.errors import Fatal
from shared.kit.records import Record
from shared.kit.transaction import Transaction

React = Callable[[Event, Transaction], Awaitable[None]]
Receive = Callable[[Record, Transaction], Awaitable[None]]
F = TypeVar("F", bound=Callable[..., Awaitable[None]])


class Provided:
    """What handlers are given beside the event, found by type; a subclass answers for its base."""

    def __init__(self, things: Iterable[object] = ()) -> None:
        self._things: list[object] = list(things)

    def add(self, things: Iterable[object]) -> None:
        """Provides more."""
        self._things.extend(things)

    def __getitem__(self, wanted: type[Any]) -> Any:
        found = [thing for thing in self._things if _is_a(thing, wanted)]
        if len(found) != 1:
            number = "nothing" if not found else "several things"
            raise KeyError(f"{number} provided for {getattr(wanted, '__name__', wanted)}")
        return found[0]

    def __contains__(self, wanted: object) -> bool:
        return isinstance(wanted, type) and any(_is_a(thing, wanted) for thing in self._things)

    def __iter__(self) -> Iterator[object]:
        return iter(self._things)


@dataclass(frozen=True, slots=True)
class Bound:
    """The handlers with everything they need at hand, by event type and by stream."""

    events: Mapping[str, React]
    untrusted: Mapping[str, Receive]


@dataclass(slots=True)
class Handlers:
    """A service's answers: at most one function per event type."""

    events: dict[type[Event], Callable[..., Awaitable[None]]] = field(default_factory=dict)
    untrusted: dict[str, Callable[..., Awaitable[None]]] = field(default_factory=dict)

    def on(self, event_type: type[Event]) -> Callable[[F], F]:
        """Marks the function that answers an event: `async def propose(event, tx, ...)`."""

        def mark(function: F) -> F:
            if event_type in self.events:
                raise ValueError(f"{event_type.__name__} is answered twice")
            self.events[event_type] = function
            return function

        return mark

    def on_untrusted(self, stream: str) -> Callable[[F], F]:
        """Marks the function that receives every raw record of a stream that others write."""

        def mark(function: F) -> F:
            if stream in self.untrusted:
                raise ValueError(f"{stream} is received twice")
            self.untrusted[stream] = function
            return function

        return mark

    @property
    def streams(self) -> list[str]:
        """The streams to subscribe to."""
        return sorted({event.stream for event in self.events} | set(self.untrusted))

    def bind(self, provided: Provided) -> Bound:
        """Fills every further parameter by its type; names all that cannot be filled."""
        faults: list[str] = []
        events = {event.type: _bound(function, provided, faults) for event, function in self.events.items()}
        untrusted = {
            stream: _bound(function, provided, faults) for stream, function in self.untrusted.items()
        }
        if both := sorted({event.stream for event in self.events} & set(self.untrusted)):
            faults.append(f"{', '.join(both)} cannot be trusted and untrusted at once")
        if faults:
            raise Fatal("handlers cannot be called:\n" + "\n".join(f"  {fault}" for fault in faults))
        return Bound(events, untrusted)


def _bound(
    function: Callable[..., Awaitable[None]], provided: Provided, faults: list[str]
) -> Callable[[Any, Transaction], Awaitable[None]]:
    name = f"{function.__module__}.{getattr(function, '__qualname__', repr(function))}"
    hints = get_type_hints(function)
    given: dict[str, Any] = {}
    for parameter in list(inspect.signature(function).parameters)[2:]:
        try:
            given[parameter] = provided[hints[parameter]]
        except KeyError as missing:
            faults.append(f"{name}: {parameter}: {missing.args[0]}")

    async def call(heard: Any, tx: Transaction) -> None:
        await function(heard, tx, **given)

    return call


def _is_a(thing: object, wanted: type[Any]) -> bool:
    try:
        return isinstance(thing, wanted)
    except TypeError:
        return False
