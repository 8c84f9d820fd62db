"""What runs in a process of its own: a server until it is ended, or a task to its result.

The parent builds the object and the child runs an equal one:
``python -m benchmarks.child MODULE CLASS FIELDS``.
"""

from __future__ import annotations

import json
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from importlib import import_module


@dataclass(frozen=True)
class Child(ABC):
    """Runs in a child process; its fields are plain JSON."""

    @abstractmethod
    async def run(self) -> None:
        """Do it; what is printed is for the parent."""

    def main(self) -> None:
        """Run it on the same event loop as `biont serve`."""
        import uvloop  # noqa: PLC0415  # a process that is to be small may do without

        uvloop.run(self.run())


def tell(line: str) -> None:
    """Tell the parent a line."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def answer(result: object) -> None:
    """Tell the parent what a task came to."""
    tell(json.dumps(result))


if __name__ == "__main__":
    module, name, fields = sys.argv[1:]
    job: Child = getattr(import_module(module), name)(**json.loads(fields))
    job.main()
