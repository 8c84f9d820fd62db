"""Contract of integrations: kinds of outside systems that take messages, registered by plugins.

A kind says which settings a connection needs, and sends messages with these settings. The plugin
``integrations`` keeps the connections of users, encrypts their settings, records the messages and
reports the health of each connection.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from pydantic import BaseModel

from biont.clock import Clock
from biont.egress.session import EgressSession
from biont.exceptions import PluginError
from biont.services import Service

S = TypeVar("S", bound=BaseModel)
C_co = TypeVar("C_co", bound=BaseModel, covariant=True)


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """Message for an outside system.

    Attributes:
        title: a title of one line.
        text: Markdown; a kind truncates the text to the limit of its system.
        cause: the id of the event that the message reports, the same at each repetition; None for
            a message that reports no event.
    """

    title: str
    text: str
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class IntegrationContext(Generic[C_co]):
    """Connection to an outside system, for one message.

    Attributes:
        settings: the settings of the connection, decrypted.
        egress: sends HTTP requests to addresses that users may name.
        timeout: the seconds that the message may take.
        clock: tells the time.
    """

    settings: C_co
    egress: EgressSession
    timeout: float
    clock: Clock


Send = Callable[[IntegrationContext[BaseModel], OutgoingMessage], Awaitable[None]]
Connect = Callable[[IntegrationContext[BaseModel]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class IntegrationKind:
    """Kind of outside system; made by `make_integration_kind`.

    Attributes:
        name: lower case with ``_``: ``pager``.
        description: the system, and the place of the settings there, in a sentence.
        settings: the model of the settings of a connection.
        send: sends a message.
        connect: proves that the settings work, without a visible message; None for a kind that
            can prove this only by a message.
    """

    name: str
    description: str
    settings: type[BaseModel]
    send: Send
    connect: Connect | None = None


INTEGRATION_KINDS = Service[Mapping[str, IntegrationKind]]("integration kinds", provider="core")
"""All registered kinds of integrations, by name."""


def make_integration_kind(
    name: str,
    description: str,
    settings: type[S],
    send: Callable[[IntegrationContext[S], OutgoingMessage], Awaitable[None]],
    connect: Callable[[IntegrationContext[S]], Awaitable[None]] | None = None,
) -> IntegrationKind:
    """Return a kind of outside system.

    Args:
        name: lower case with ``_``: ``pager``.
        description: the system, and the place of the settings there, in a sentence.
        settings: the model of the settings. Secrets are `pydantic.SecretStr` fields: their values
            are never shown. The model should forbid extra keys.
        send: sends a message, and raises `biont.exceptions.DeliveryFailed` if the system does not
            accept the message. The message of another error is not shown.
        connect: proves that the settings work, without a visible message, and raises
            `biont.exceptions.DeliveryFailed` otherwise. Left out, a test message is the proof.
    """

    def narrow(context: IntegrationContext[BaseModel]) -> IntegrationContext[S]:
        own = context.settings
        if not isinstance(own, settings):
            raise PluginError(f"the integration kind {name!r} got settings of another kind")
        return IntegrationContext(own, context.egress, context.timeout, context.clock)

    async def send_message(
        context: IntegrationContext[BaseModel], message: OutgoingMessage
    ) -> None:
        await send(narrow(context), message)

    made = IntegrationKind(name, description, settings, send_message)
    if connect is None:
        return made
    prove = connect

    async def prove_connection(context: IntegrationContext[BaseModel]) -> None:
        await prove(narrow(context))

    return replace(made, connect=prove_connection)
