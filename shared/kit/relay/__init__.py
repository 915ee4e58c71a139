"""Sends the outbox to Kafka, in order: one leader per service, however many processes there are."""

from shared.kit.relay.relay import Relay

__all__ = ["Relay"]
