"""Cron expressions: parsing, description in words, and iteration over occurrences."""
