"""Receivers on other people's servers; each writes the ids of the requests into a file."""
