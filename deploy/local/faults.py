"""What can go wrong while the stack starts, said so that a person knows what to do."""


class StackFault(Exception):
    """The stack cannot start or go on; the text says why and what to do."""
