"""Job kind ``reminder``: emits ``reminder_triggered``."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, ConfigDict, Field

from biont import EventType, Finish, JobKind, JsonObject, Run, Schema, Transaction, Workbench
from biont_reminders.tables import Reminder

Text = Annotated[str, Field(min_length=1, max_length=2000)]


class ReminderParameters(Schema):
    """Parameters of the job: the text."""

    model_config = ConfigDict(extra="forbid")

    text: Text


class ReminderTriggered(Schema):
    """Payload of ``reminder_triggered``."""

    reminder_id: int | None = Field(description="Null for a schedule without a reminder.")
    text: str
    schedule_id: int
    run_id: int
    scheduled_for: AwareDatetime = Field(description="The occurrence.")


REMINDER_TRIGGERED = EventType("reminder_triggered", ReminderTriggered, "A reminder is due.")


async def remind(run: Run, workbench: Workbench) -> Finish:
    """Return the function that marks the reminder as triggered and emits the event."""
    text = run.parameters_as(ReminderParameters).text

    def trigger(tx: Transaction) -> JsonObject:
        # Found at the end of the run: the reminder may have been deleted meanwhile, and a
        # schedule with this job kind may have no reminder.
        reminder = Reminder.get_or_none(
            (Reminder.schedule == run.schedule_id) | (Reminder.snooze == run.schedule_id)
        )
        if reminder is not None:
            reminder.triggered_at = workbench.clock.now()
            reminder.save(only=[Reminder.triggered_at])
        payload: JsonObject = {
            "reminder_id": None if reminder is None else reminder.id,
            "text": text,
            "schedule_id": run.schedule_id,
            "run_id": run.id,
            "scheduled_for": run.scheduled_for.isoformat(),
        }
        tx.emit(REMINDER_TRIGGERED.name, run.user_id, payload)
        return {"reminder_id": payload["reminder_id"]}

    return trigger


REMINDER = JobKind("reminder", ReminderParameters, remind)
