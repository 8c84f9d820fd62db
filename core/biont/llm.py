"""What the workbench asks of a language model, whatever serves it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from biont.workbench import Workbench


@dataclass(frozen=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Completion:
    """A whole answer of a model.

    Attributes:
        text: what it said; never empty.
        model: which model it was, as the server names it.
        prompt_tokens: how many tokens it read; None where the server does not say.
        completion_tokens: how many tokens it wrote; None where it does not say.
    """

    text: str
    model: str
    prompt_tokens: int | None
    completion_tokens: int | None


class Backend(Protocol):
    """A way to reach language models."""

    async def complete(
        self, messages: Sequence[Message], *, model: str | None = None
    ) -> Completion:
        """Return the model's answer to `messages`.

        Args:
            messages: the conversation so far, the newest turn last.
            model: one of the server's models; None for the configured one.

        Raises:
            BackendError: there is no answer, or none that can be trusted to be whole.
        """
        ...

    async def close(self) -> None:
        """Let go of connections and memory."""
        ...


BackendFactory = Callable[["Workbench"], Backend]
"""Makes a backend; called when it is first used."""
