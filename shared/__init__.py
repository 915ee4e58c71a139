"""What every service shares: the contract they speak and the plumbing they stand on."""
