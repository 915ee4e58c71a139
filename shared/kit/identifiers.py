"""New identifiers."""

from uuid import UUID

import uuid_utils


def new_id() -> UUID:
    """A UUID of version 7: later ones sort after earlier ones."""
    return UUID(bytes=uuid_utils.uuid7().bytes)
