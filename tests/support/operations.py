"""Arguments for every operation of the API, and the objects that the operations need."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from uuid import uuid4

from pydantic import JsonValue

from biont.testing import ApiClient, ModelServer, WebhookReceiver, rows_of
from biont.testing.model_server import MODEL, say

PLUGIN = """
import asyncio

from biont import JobKind, Schema, hookimpl, make_tool, on


class Nothing(Schema):
    pass


@hookimpl
def register_jobs():
    return [JobKind("wait", Nothing, wait), JobKind("fail", Nothing, fail)]


@hookimpl
def register_tools():
    return [make_tool("send_parcel", "Send a parcel.", Nothing, send_parcel, confirm=True)]


@on("custom_failure", retry=[])
async def refuse(event, workbench):
    raise ValueError("refused")


async def wait(run, workbench):
    await asyncio.Event().wait()


async def fail(run, workbench):
    raise ValueError("failed")


async def send_parcel(context, arguments):
    return "sent"
"""
"""Plugin whose jobs, tool and handler bring objects into the states that operations need."""

Arguments = dict[str, Any]


@dataclass(frozen=True)
class Situation:
    """A running workbench, and the servers that it knows."""

    api: ApiClient
    model: ModelServer
    receiver: WebhookReceiver

    async def make(self, path: str, **body: JsonValue) -> dict[str, JsonValue]:
        """Post a body, and return the answer."""
        status, answer = await self.api.ask("POST", path, body)
        assert status < 300, answer
        return answer

    async def make_note(self) -> JsonValue:
        return (await self.make("/notes", title="Tea"))["id"]

    async def make_dead_letter(self) -> JsonValue:
        event = await self.make("/events", event_type="custom_failure")
        found = await self.api.get_until(
            "/dead-letters",
            lambda page: any(row["event_id"] == event["id"] for row in rows_of(page)),
        )
        return next(row for row in rows_of(found) if row["event_id"] == event["id"])["id"]

    async def make_tool_call(self) -> JsonValue:
        self.model.script.append(say(calls=[("send_parcel", "{}")]))
        await self.api.ask("POST", "/chat", {"message": "Send it", "tools": ["send_parcel"]})
        found = await self.api.get_until("/tool-calls?status=waiting", rows_of)
        return rows_of(found)[0]["id"]

    async def make_conversation(self) -> JsonValue:
        return (await self.make("/chat", message="Hello"))["conversation_id"]

    async def make_mission(self) -> JsonValue:
        steps: list[JsonValue] = [{"title": "Look"}]
        return (await self.make("/missions", goal="Tea", steps=steps, start=False))["id"]

    async def make_cancelled_mission(self) -> JsonValue:
        mission = await self.make_mission()
        await self.make(f"/missions/{mission}/cancel")
        return mission

    async def make_schedule(self, job: str = "wait") -> JsonValue:
        return (await self.make("/schedule", job=job, every="1d"))["id"]

    async def make_run(self, job: str, status: str) -> Arguments:
        schedule = await self.make_schedule(job)
        run = (await self.make(f"/schedule/{schedule}/run-now"))["id"]
        path = f"/schedule/{schedule}/runs/{run}"
        await self.api.get_until(path, lambda found: found["status"] == status)
        return {"schedule_id": schedule, "run_id": run}

    async def make_webhook(self) -> JsonValue:
        url = self.receiver.url
        hook = await self.make("/webhooks/outgoing/register", url=url, event_types=["custom_hook"])
        return hook["id"]

    async def make_delivery(self) -> Arguments:
        webhook = await self.make_webhook()
        delivery = await self.make(f"/webhooks/outgoing/{webhook}/test")
        return {"webhook_id": webhook, "delivery_id": delivery["id"]}


Prepare = Callable[[Situation], Awaitable[Arguments]]


def _with(name: str, make: Callable[[Situation], Awaitable[object]], /, **more: object) -> Prepare:
    async def prepare(situation: Situation) -> Arguments:
        return {name: await make(situation), **more}

    return prepare


async def _make_key(situation: Situation) -> JsonValue:
    return (await situation.make("/keys/create", name="spare", scope="chat"))["id"]


async def _make_backup(situation: Situation) -> JsonValue:
    return (await situation.make("/system/backups"))["name"]


async def _make_user(situation: Situation) -> JsonValue:
    return (await situation.make("/users", name=str(uuid4())))["id"]


async def _make_named_user(situation: Situation) -> Arguments:
    user = await situation.make("/users", name=str(uuid4()))
    return {"user_id": user["id"], "confirm": user["name"]}


async def _make_event(situation: Situation) -> JsonValue:
    return (await situation.make("/events", event_type="custom_tea"))["id"]


async def _make_listener(situation: Situation) -> JsonValue:
    name = f"listener-{uuid4()}"
    return (await situation.make("/webhooks/listeners", name=name))["id"]


async def _make_inbound_webhook(situation: Situation) -> JsonValue:
    action: JsonValue = {"kind": "event", "event_type": "custom_issue"}
    made = await situation.make(
        "/webhooks/incoming", name="Issues", preset="github", action=action
    )
    return made["id"]


async def _make_inbound_token(situation: Situation) -> JsonValue:
    action: JsonValue = {"kind": "event", "event_type": "custom_issue"}
    made = await situation.make("/webhooks/incoming", name="Any", preset="none", action=action)
    return str(made["url"]).rpartition("/")[2]


async def _make_integration(situation: Situation) -> JsonValue:
    settings: JsonValue = {"url": situation.receiver.url}
    name = f"board-{uuid4()}"
    return (await situation.make("/integrations", name=name, kind="json", settings=settings))["id"]


async def _name_integration(situation: Situation) -> Arguments:
    name = f"new-{uuid4()}"
    return {"body": {"name": name, "kind": "json", "settings": {"url": situation.receiver.url}}}


async def _make_task(situation: Situation) -> JsonValue:
    return (await situation.make("/tasks", title="Buy tea"))["id"]


async def _make_reminder(situation: Situation) -> JsonValue:
    return (await situation.make("/reminders", text="Tea", every="1d"))["id"]


async def _make_due_reminder(situation: Situation) -> JsonValue:
    number = (await situation.make("/reminders", text="Tea", every=1))["id"]
    await situation.api.get_until(
        f"/reminders/{number}", lambda reminder: reminder["state"] == "triggered"
    )
    return number


async def _make_operation(situation: Situation) -> JsonValue:
    return (await situation.make("/dead-letters/replay", handler="parcels.refuse"))["id"]


async def _make_version(situation: Situation) -> Arguments:
    note = await situation.make_note()
    await situation.api.ask("PATCH", f"/notes/{note}", {"content": "Green."})
    return {"note_id": note, "version": 1}


async def _make_feed(situation: Situation) -> JsonValue:
    path = (await situation.make("/schedule/feed"))["path"]
    return str(path).rpartition("/")[2].removesuffix(".ics")


async def _find_feed(situation: Situation) -> Arguments:
    await _make_feed(situation)
    return {}


async def _name_model(_: Situation) -> Arguments:
    return {"body": {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}]}}


async def _name_handler(situation: Situation) -> Arguments:
    letter = await situation.make_dead_letter()
    found = await situation.api.get(f"/dead-letters/{letter}")
    return {"body": {"handler": found["handler"]}}


_note = _with("note_id", Situation.make_note)
_letter = _with("letter_id", Situation.make_dead_letter)
_call = _with("call_id", Situation.make_tool_call)
_conversation = _with("conversation_id", Situation.make_conversation)
_mission = _with("mission_id", Situation.make_mission)
_task = _with("task_id", _make_task)
_reminder = _with("reminder_id", _make_reminder)
_schedule = _with("schedule_id", Situation.make_schedule)
_listener = _with("listener_id", _make_listener)
_webhook = _with("webhook_id", Situation.make_webhook)
_inbound = _with("inbound_id", _make_inbound_webhook)
_integration = _with("integration_id", _make_integration)
_operation = _with("operation_id", _make_operation)
_key = _with("key_id", _make_key)
_user = _with("user_id", _make_user)


async def _receive(situation: Situation) -> Arguments:
    return {"body": {"url": situation.receiver.url}}


PREPARE: Mapping[str, Prepare] = MappingProxyType(
    {
        "read_key": _key,
        "read_backup": _with("name", _make_backup),
        "revoke_key": _key,
        "change_key": _key,
        "rotate_key": _key,
        "test_key_rights": _key,
        "read_user": _user,
        "change_user": _user,
        "disable_user": _user,
        "enable_user": _user,
        "export_user": _user,
        "delete_user": _make_named_user,
        "read_event": _with("event_id", _make_event),
        "explain_handlers": _with("event_id", _make_event),
        "read_event_origin": _with("event_id", _make_event),
        "read_dead_letter": _letter,
        "drop_dead_letter": _letter,
        "replay_dead_letter": _letter,
        "replay_dead_letters": _name_handler,
        "read_operation": _operation,
        "cancel_operation": _operation,
        "read_tool_call": _call,
        "approve_tool_call": _call,
        "reject_tool_call": _call,
        "search_messages": _with("q", Situation.make_conversation, q="Hello"),
        "read_conversation": _conversation,
        "change_conversation": _conversation,
        "delete_conversation": _conversation,
        "list_messages": _conversation,
        "complete_chat": _name_model,
        "send_message": _with("note", Situation.make_note, name="team"),
        "search_notes": _with("note", Situation.make_note, q="tea"),
        "read_note": _note,
        "change_note": _note,
        "delete_note": _note,
        "read_note_markdown": _note,
        "list_note_versions": _note,
        "read_note_version": _make_version,
        "read_mission": _mission,
        "run_mission": _mission,
        "retry_mission": _with("mission_id", Situation.make_cancelled_mission),
        "cancel_mission": _mission,
        "read_task": _task,
        "delete_task": _task,
        "complete_task": _task,
        "read_reminder": _reminder,
        "change_reminder": _reminder,
        "delete_reminder": _reminder,
        "snooze_reminder": _reminder,
        "finish_reminder": _with("reminder_id", _make_due_reminder),
        "read_calendar_feed": _find_feed,
        "revoke_calendar_feed": _find_feed,
        "read_calendar": _with("token", _make_feed),
        "read_schedule": _schedule,
        "change_schedule": _schedule,
        "delete_schedule": _schedule,
        "pause_schedule": _schedule,
        "resume_schedule": _schedule,
        "run_schedule": _schedule,
        "explain_schedule": _schedule,
        "simulate_schedule": _schedule,
        "list_runs": _schedule,
        "read_run": lambda situation: situation.make_run("wait", "running"),
        "cancel_run": lambda situation: situation.make_run("wait", "running"),
        "retry_run": lambda situation: situation.make_run("fail", "failed"),
        "read_listener": _listener,
        "change_listener": _listener,
        "delete_listener": _listener,
        "fetch_messages": _listener,
        "connect_integration": _name_integration,
        "read_integration": _integration,
        "change_integration": _integration,
        "delete_integration": _integration,
        "test_integration": _integration,
        "read_inbound_webhook": _inbound,
        "change_inbound_webhook": _inbound,
        "delete_inbound_webhook": _inbound,
        "rotate_inbound_secret": _inbound,
        "rotate_inbound_url": _inbound,
        "list_inbound_requests": _inbound,
        "list_inbound_deliveries": _inbound,
        "try_inbound_webhook": _inbound,
        "receive_inbound_request": _with("token", _make_inbound_token),
        "register_webhook": _receive,
        "read_webhook": _webhook,
        "change_webhook": _webhook,
        "delete_webhook": _webhook,
        "pause_webhook": _webhook,
        "resume_webhook": _webhook,
        "rotate_secret": _webhook,
        "list_deliveries": _webhook,
        "read_delivery": Situation.make_delivery,
        "resend_delivery": Situation.make_delivery,
        "send_test_event": _webhook,
        "check_receiver": _webhook,
        "recover_deliveries": _webhook,
        "replay_events": _webhook,
        "explain_event": _with("event_id", _make_event),
    }
)
"""Arguments of each operation that needs more than the example of the document."""
