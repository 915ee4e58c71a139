"""Signs of life of one consumer, for the watchdog and for /ready."""

import time

from aiokafka import ConsumerRebalanceListener, TopicPartition

from shared.kit import logs


class Progress:
    """When a consumer last moved, and whether it belongs to its group."""

    def __init__(self) -> None:
        now = time.monotonic()
        self.busy = False
        self.joined = False
        self.has_joined = False
        self._beat = now
        self._joined_changed = now
        self._fetched = now
        self._fetch_marks: dict[int, int | None] = {}
        self._unmoved: dict[int, tuple[int, float]] = {}

    def begin(self) -> None:
        """A batch has come in."""
        self.busy = True
        self._beat = time.monotonic()

    def beat(self) -> None:
        """Still moving: the next record, or a wait that ends by itself."""
        self._beat = time.monotonic()

    def end(self) -> None:
        """The batch is done with."""
        self.busy = False
        self._beat = time.monotonic()

    def membership(self, joined: bool) -> None:
        """The group has taken this consumer in, or is being formed anew."""
        self.joined = joined
        self.has_joined |= joined
        self._joined_changed = self._fetched = time.monotonic()
        self._unmoved.clear()
        self._fetch_marks.clear()

    def seen_at(self, partition: int, position: int, end: int) -> None:
        """Where the consumer stands in a partition, and where the partition ends."""
        if position >= end:
            self._unmoved.pop(partition, None)
        elif self._unmoved.get(partition, (None, 0.0))[0] != position:
            self._unmoved[partition] = (position, time.monotonic())

    def forgive(self) -> None:
        """The process itself stood still: nothing that is old now says anything about the consumer."""
        now = time.monotonic()
        self._beat = self._fetched = self._joined_changed = now
        self._unmoved = {partition: (position, now) for partition, (position, _) in self._unmoved.items()}

    def fetched_at(self, partition: int, mark: int | None) -> None:
        """When a partition last answered a fetch, in the client's own time; a change is a sign of life."""
        if self._fetch_marks.get(partition) != mark:
            self._fetch_marks[partition] = mark
            self._fetched = time.monotonic()

    @property
    def silent_seconds(self) -> float:
        """How long a busy consumer has given no sign of life."""
        return time.monotonic() - self._beat if self.busy else 0.0

    @property
    def unassigned_seconds(self) -> float:
        """How long the consumer has been outside its group."""
        return 0.0 if self.joined else time.monotonic() - self._joined_changed

    @property
    def unfetched_seconds(self) -> float:
        """How long no partition at all has answered a fetch, while there was time to ask."""
        if self.busy or not self._fetch_marks:
            return 0.0
        now = time.monotonic()
        return min(now - self._fetched, now - self._beat)

    @property
    def unmoved_seconds(self) -> float:
        """How long records have lain there without the consumer moving or giving a sign of life."""
        if not self._unmoved:
            return 0.0
        now = time.monotonic()
        oldest = min(since for _, since in self._unmoved.values())
        return min(now - oldest, now - self._beat)


class Membership(ConsumerRebalanceListener):  # type: ignore[misc]
    """Tells the progress of what the group coordinator says.

    A member without partitions has joined all the same: it stands by for one that leaves.
    """

    def __init__(self, consumer: str, progress: Progress) -> None:
        self._progress = progress
        self._log = logs.logger().bind(consumer=consumer)

    def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """The group is being formed anew."""
        self._progress.membership(False)

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """The group has been formed."""
        self._log.info("partitions assigned", partitions=sorted(place.partition for place in assigned))
        self._progress.membership(True)
