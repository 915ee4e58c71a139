"""Review: where trained staff see the whole case, decide, and are recorded as having decided."""
