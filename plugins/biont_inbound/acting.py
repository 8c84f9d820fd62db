"""Actions on requests: what a webhook does, from the commit of the request to its result.

    request --commit--> event, note or mission: done in the same transaction
                   +--> prompt: pending --model answers--> done, with the note

The event ``inbound_received`` is the cause of everything that an action does. A prompt is asked by
the handler of that event, which the event bus repeats after a crash; the note and the state are
written in one transaction, so a request leads to one note.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from biont import Event, JsonObject, Schema, Transaction, Workbench
from biont.events import caused_by
from biont.llm import ChatRequest, LlmCall, Message
from biont.security import Fence
from biont_inbound.actions import EmitEvent, KeepNote, RunPrompt, StartMission
from biont_inbound.active_webhooks import ActiveWebhook
from biont_inbound.tables import ActionState, InboundDelivery
from biont_inbound.templates import count_placeholders, fill_json, fill_text
from biont_llm import LLM_GATEWAY
from biont_missions import MISSIONS
from biont_notes import Source, create_note

_GOAL_LIMIT = 3500


class PendingPrompt(Schema):
    """Prompt of a request, kept until the model has answered.

    The prompt is kept whole: the webhook may have another action by the time of the answer.
    """

    prompt: str
    title: str
    tags: list[str]
    model: str | None


Act = Callable[[Transaction, InboundDelivery], None]
"""Function that acts in the transaction of a request, and changes the row of the delivery."""


@dataclass(frozen=True)
class Plan:
    """Action for one request, filled with the values of the request.

    Attributes:
        preview: the action with its texts, for a trial.
        act: acts in the transaction of the request.
    """

    preview: JsonObject
    act: Act


def plan_action(webhook: ActiveWebhook, document: JsonObject, workbench: Workbench) -> Plan:
    """Return what a webhook does with a request.

    Raises:
        InvalidInput: the filled action is not allowed, such as a payload that is too large.
    """
    match webhook.action:
        case EmitEvent():
            return _plan_event(webhook, webhook.action, document)
        case KeepNote():
            return _plan_note(webhook, webhook.action, document, workbench)
        case StartMission():
            return _plan_mission(webhook, webhook.action, document, workbench)
        case RunPrompt():
            return _plan_prompt(webhook, webhook.action, document)


def _plan_event(webhook: ActiveWebhook, action: EmitEvent, document: JsonObject) -> Plan:
    payload = fill_json(dict(action.payload), document)
    filled = payload if isinstance(payload, dict) else {}

    def act(tx: Transaction, delivery: InboundDelivery) -> None:
        event = tx.emit(action.event_type, webhook.user_id, filled)
        delivery.result = f"/api/v1/events/{event.id}"

    return Plan({"kind": "event", "event_type": action.event_type, "payload": filled}, act)


def _plan_note(
    webhook: ActiveWebhook, action: KeepNote, document: JsonObject, workbench: Workbench
) -> Plan:
    title = _make_title(fill_text(action.title, document), webhook)
    content = fill_text(action.content, document)

    def act(tx: Transaction, delivery: InboundDelivery) -> None:
        note = create_note(
            tx,
            webhook.user_id,
            title=title,
            content=content,
            tags=action.tags,
            now=workbench.clock.now(),
            source=_make_source(webhook.id),
        )
        delivery.result = f"/api/v1/notes/{note.id}"

    return Plan({"kind": "note", "title": title, "content": content}, act)


def _plan_mission(
    webhook: ActiveWebhook, action: StartMission, document: JsonObject, workbench: Workbench
) -> Plan:
    # Shared by all values, because a goal is short: a value that is cut keeps its fence.
    room = _GOAL_LIMIT - len(action.goal)
    fence = Fence(webhook.name, room // max(1, count_placeholders(action.goal)) - 60)
    goal = fence.explain(fill_text(action.goal, document, fence.wrap))
    insert = workbench.get(MISSIONS).prepare(
        webhook.user_id, goal, tools=action.tools, model=action.model
    )

    def act(tx: Transaction, delivery: InboundDelivery) -> None:
        delivery.result = f"/api/v1/missions/{insert(tx).id}"

    return Plan({"kind": "mission", "goal": goal}, act)


def _plan_prompt(webhook: ActiveWebhook, action: RunPrompt, document: JsonObject) -> Plan:
    fence = Fence(webhook.name)
    prompt = fence.explain(fill_text(action.prompt, document, fence.wrap))
    title = _make_title(fill_text(action.title, document), webhook)

    def act(_: Transaction, delivery: InboundDelivery) -> None:
        pending = PendingPrompt(prompt=prompt, title=title, tags=action.tags, model=action.model)
        delivery.state = ActionState.PENDING
        delivery.prompt = pending.model_dump_json()

    return Plan({"kind": "prompt", "prompt": prompt, "title": title}, act)


async def answer_prompt(event: Event, workbench: Workbench) -> None:
    """Ask the model the prompt of a request, and keep the answer as a note.

    A request without a prompt, whose prompt is answered, or whose webhook is deleted is left as
    it is.

    Raises:
        BackendError: the backend gave no complete answer.
        BudgetExceeded: the user's budget is used up.
    """
    pending = await workbench.store.read(_find_pending, event.id)
    if pending is None:
        return
    delivery, question = pending
    if delivery.user_id in workbench.users.disabled:
        return
    answer = await workbench.get(LLM_GATEWAY).chat(
        ChatRequest([Message("user", question.prompt)], question.model),
        LlmCall(user_id=delivery.user_id),
    )

    def keep_answer(tx: Transaction) -> None:
        present = InboundDelivery.get_or_none(InboundDelivery.id == delivery.id)
        if present is None or present.state != ActionState.PENDING:
            return  # another attempt of the handler was faster, or the webhook is gone
        with caused_by(event):
            note = create_note(
                tx,
                delivery.user_id,
                title=question.title,
                content=answer.text,
                tags=question.tags,
                now=workbench.clock.now(),
                source=_make_source(delivery.webhook_id),
            )
        present.state = ActionState.DONE
        present.prompt = None
        present.result = f"/api/v1/notes/{note.id}"
        present.save(only=["state", "prompt", "result"])

    await workbench.store.transact(keep_answer)


def _find_pending(event_id: str) -> tuple[InboundDelivery, PendingPrompt] | None:
    delivery = InboundDelivery.get_or_none(
        InboundDelivery.event_id == event_id, InboundDelivery.state == ActionState.PENDING
    )
    if delivery is None or delivery.prompt is None:
        return None
    return delivery, PendingPrompt.model_validate_json(delivery.prompt)


def _make_title(text: str, webhook: ActiveWebhook) -> str:
    """Return a title of one line; the name of the webhook if a request gives none."""
    return " ".join(text.split()) or webhook.name


def _make_source(webhook_id: int) -> Source:
    return Source(f"inbound-{webhook_id}", f"/api/v1/webhooks/incoming/{webhook_id}")
