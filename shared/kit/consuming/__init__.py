"""From a record to a committed transaction: reading, settling, waiting, parking; then the offset."""
