# Written by tests/client/generate.py from the API document. Do not edit.
"""Groups of operations, one for each tag of the API document."""

from __future__ import annotations

from biont.client.api.chat import AsyncChat, Chat
from biont.client.api.core import AsyncCore, Core
from biont.client.api.events import AsyncEvents, Events
from biont.client.api.inbound import AsyncInbound, Inbound
from biont.client.api.integrations import AsyncIntegrations, Integrations
from biont.client.api.keys import AsyncKeys, Keys
from biont.client.api.missions import AsyncMissions, Missions
from biont.client.api.models import AsyncModels, Models
from biont.client.api.notes import AsyncNotes, Notes
from biont.client.api.openai import AsyncOpenai, Openai
from biont.client.api.operations import AsyncOperations, Operations
from biont.client.api.reminders import AsyncReminders, Reminders
from biont.client.api.schedule import AsyncSchedule, Schedule
from biont.client.api.tasks import AsyncTasks, Tasks
from biont.client.api.tools import AsyncTools, Tools
from biont.client.api.usage import AsyncUsage, Usage
from biont.client.api.users import AsyncUsers, Users
from biont.client.api.webhooks import AsyncWebhooks, Webhooks
from biont.client.connection import AsyncConnection, SyncConnection


class Groups:
    """The groups of operations of the sync client.

    Args:
        connection: the connection to the server.
    """

    def __init__(self, connection: SyncConnection) -> None:
        self.chat = Chat(connection)
        self.core = Core(connection)
        self.events = Events(connection)
        self.inbound = Inbound(connection)
        self.integrations = Integrations(connection)
        self.keys = Keys(connection)
        self.missions = Missions(connection)
        self.models = Models(connection)
        self.notes = Notes(connection)
        self.openai = Openai(connection)
        self.operations = Operations(connection)
        self.reminders = Reminders(connection)
        self.schedule = Schedule(connection)
        self.tasks = Tasks(connection)
        self.tools = Tools(connection)
        self.usage = Usage(connection)
        self.users = Users(connection)
        self.webhooks = Webhooks(connection)


class AsyncGroups:
    """The groups of operations of the async client.

    Args:
        connection: the connection to the server.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self.chat = AsyncChat(connection)
        self.core = AsyncCore(connection)
        self.events = AsyncEvents(connection)
        self.inbound = AsyncInbound(connection)
        self.integrations = AsyncIntegrations(connection)
        self.keys = AsyncKeys(connection)
        self.missions = AsyncMissions(connection)
        self.models = AsyncModels(connection)
        self.notes = AsyncNotes(connection)
        self.openai = AsyncOpenai(connection)
        self.operations = AsyncOperations(connection)
        self.reminders = AsyncReminders(connection)
        self.schedule = AsyncSchedule(connection)
        self.tasks = AsyncTasks(connection)
        self.tools = AsyncTools(connection)
        self.usage = AsyncUsage(connection)
        self.users = AsyncUsers(connection)
        self.webhooks = AsyncWebhooks(connection)
