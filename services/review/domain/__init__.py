"""The rules of review: what may happen to a case, and what a decision must have. Pure."""
