"""Takes requests through all three doors, from submission to delivered mail, and says what happened."""
