"""Tells clients and therapists by mail, once, and says what became of each message."""
