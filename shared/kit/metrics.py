"""What a service measures of its plumbing."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """The kit's measures, in the service's registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.consumed = Counter(
            "attune_consumed", "Records consumed", ["stream", "outcome"], registry=registry
        )
        self.handling = Histogram(
            "attune_handler_seconds",
            "Time a handler took",
            ["event"],
            buckets=SECONDS,
            registry=registry,
        )
        self.waits = Counter(
            "attune_waits", "Times a record had to wait in its place", ["stream", "why"], registry=registry
        )
        self.lag = Gauge(
            "attune_consumer_lag", "Records not consumed yet", ["stream", "partition"], registry=registry
        )
        self.published = Counter(
            "attune_published", "Records that Kafka has taken", ["stream"], registry=registry
        )
        self.refused = Counter(
            "attune_outbox_refused",
            "Records that Kafka refuses for ever",
            ["stream", "reason"],
            registry=registry,
        )
        self.relay_faults = Counter(
            "attune_relay_faults", "Times the relay had to begin anew", registry=registry
        )
        self.relay_leader = Gauge(
            "attune_relay_leader", "1 if this process sends the outbox", registry=registry
        )
        self.outbox_depth = Gauge(
            "attune_outbox_depth", "Records waiting in the outbox (counted up to 10000)", registry=registry
        )
        self.outbox_age = Gauge(
            "attune_outbox_oldest_seconds", "Age of the oldest record in the outbox", registry=registry
        )
        self.outbox_parked = Gauge(
            "attune_outbox_parked", "Records in the outbox that Kafka refused", registry=registry
        )
        self.dead_letters = Gauge(
            "attune_dead_letters_open", "Dead letters that nobody has settled", registry=registry
        )
