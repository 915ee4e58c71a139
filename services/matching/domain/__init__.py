"""The rules of matching, without a clock, a network or a database."""
