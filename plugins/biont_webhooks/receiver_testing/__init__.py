"""Command-line tools that help to write and test a receiver."""
