"""Contract: hooks and types that plugins implement."""
