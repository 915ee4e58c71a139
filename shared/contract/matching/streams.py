"""The streams of matching."""

STREAM = "matching.proposals"
DIRECTORY = "matching.directory"
