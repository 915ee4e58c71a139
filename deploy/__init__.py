"""Runs Attune: on one machine without containers, or with docker compose."""
