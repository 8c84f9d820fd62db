"""Contract: the hooks and types that plugins implement."""
