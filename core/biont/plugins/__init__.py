"""Plugins: finds, imports, orders, starts and quarantines plugins."""
