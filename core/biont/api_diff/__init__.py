"""Comparison of two API documents: the changes that break clients, and the additions."""
