"""Matching ranks therapists for a request, explains the ranking and gives out seats."""
