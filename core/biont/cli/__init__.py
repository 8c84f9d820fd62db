"""The command line. What a command needs is imported when it runs, so that help is quick."""

from biont.cli.main import main

__all__ = ["main"]
