"""The plumbing: consuming, transactions, outbox, dead letters, sealing; it knows no business."""
