"""What review remembers: the only SQL of this service."""
