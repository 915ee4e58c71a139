"""Takes search requests in through three doors, checks them once, and passes them on."""
