"""Notify's decisions: what to write to whom, and what an answer of the mail server means."""
