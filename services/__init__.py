"""The four services; none imports another, they speak only through the contract."""
