"""Real parts for tests: processes, receivers, clocks."""
