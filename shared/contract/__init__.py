"""The language of Attune: every event a service says, and the words in it; pydantic only."""
