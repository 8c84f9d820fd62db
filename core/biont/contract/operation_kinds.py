"""Operation kinds: acts on many rows, registered by plugins."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pydantic import BaseModel

from biont.accounts.principal import Scope
from biont.operations.part import BoundKind, Chunk, Part
from biont.runtime.containment import contain_exit
from biont.runtime.plugin_tasks import current_plugin
from biont.workbench import Workbench


@dataclass(frozen=True)
class OperationKind:
    """Kind of operation.

    Attributes:
        name: the name in operations: ``webhook_replay``.
        parameters: the model of the parameters.
        step: prepares the next part by reads, and returns the `Chunk` that writes the part. The
            step that is called again after an error or a crash gets the same cursor.
        count: a store function that counts up to `Part.limit` rows from the cursor of the part
            on, and returns the number and the cursor of the further rows (None for no more). None
            for a kind whose rows are not counted.
        scopes: the key scopes that may see and cancel the operations, in addition to ``full``.
    """

    name: str
    parameters: type[BaseModel]
    step: Callable[[Part, Workbench], Awaitable[Chunk]]
    count: Callable[[Part], tuple[int, str | None]] | None = None
    scopes: frozenset[Scope] = frozenset()

    def bind(self, workbench: Workbench, plugin: str | None) -> BoundKind:
        """Return the kind for `workbench`, as code of `plugin`; None for the core."""

        async def step(part: Part) -> Chunk:
            # Tasks that the step creates belong to the plugin.
            current_plugin.set(plugin)
            with contain_exit():
                return await self.step(part, workbench)

        return BoundKind(step, self.count, self.scopes)
