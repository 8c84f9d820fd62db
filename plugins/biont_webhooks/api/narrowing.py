"""Narrowed keys: a key sees and changes only webhooks for events that the key may see."""

from __future__ import annotations

import orjson

from biont import Request, Scope
from biont.events import find_pattern
from biont_webhooks.tables import Webhook


async def check_webhook(request: Request, webhook_id: int) -> None:
    """Check that the caller's key may use a webhook of its user.

    A webhook for other events than the key's is refused as a whole: the key could read these
    events by another URL, or by a replay.

    Raises:
        NotFound: the user has no webhook of this number.
        Forbidden: the webhook gets events that the key may not see.
    """
    webhook = await request.workbench.store.read(Webhook.get_owned, request.user_id, webhook_id)
    request.use_events(orjson.loads(webhook.event_types))


async def may_read_event(request: Request, event_type: str) -> bool:
    """Return whether the caller's key may read the payloads of an event type.

    A key of scope ``webhook`` reads events by its user's webhooks only.
    """
    if request.principal is None or request.principal.scope is not Scope.WEBHOOK:
        return True
    return await request.workbench.store.read(_is_subscribed, request.user_id, event_type)


def _is_subscribed(user_id: int, event_type: str) -> bool:
    return any(
        find_pattern(orjson.loads(webhook.event_types), event_type) is not None
        for webhook in Webhook.of_user(user_id)
    )
