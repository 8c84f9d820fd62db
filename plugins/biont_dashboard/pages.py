"""Routes of all pages, in the order of their areas."""

from __future__ import annotations

from aiohttp import web

from biont import Request
from biont.exceptions import NotFound
from biont_dashboard.acts import api as acts_api
from biont_dashboard.dialect import make_api
from biont_dashboard.routes.approvals import api as approvals_api
from biont_dashboard.routes.assets import api as assets_api
from biont_dashboard.routes.calendar import api as calendar_api
from biont_dashboard.routes.chat import api as chat_api
from biont_dashboard.routes.dead_letters import api as dead_letters_api
from biont_dashboard.routes.deliveries import api as deliveries_api
from biont_dashboard.routes.echo_receiver import api as echo_receiver_api
from biont_dashboard.routes.events import api as events_api
from biont_dashboard.routes.home import api as home_api
from biont_dashboard.routes.inbound import api as inbound_api
from biont_dashboard.routes.integrations import api as integrations_api
from biont_dashboard.routes.keys import api as keys_api
from biont_dashboard.routes.looks import api as looks_api
from biont_dashboard.routes.missions import api as missions_api
from biont_dashboard.routes.notes import api as notes_api
from biont_dashboard.routes.operations import api as operations_api
from biont_dashboard.routes.palette import api as palette_api
from biont_dashboard.routes.panel_pages import api as panel_pages_api
from biont_dashboard.routes.receiver_checks import api as receiver_check_api
from biont_dashboard.routes.relay import api as relay_api
from biont_dashboard.routes.reminders import api as reminders_api
from biont_dashboard.routes.runs import api as runs_api
from biont_dashboard.routes.schedules import api as schedules_api
from biont_dashboard.routes.sign_in import api as sign_in_api
from biont_dashboard.routes.usage import api as usage_api
from biont_dashboard.routes.users import api as users_api
from biont_dashboard.routes.webhooks import api as webhooks_api
from biont_dashboard.routes.workbench import api as workbench_api

api = make_api()

for _part in (
    sign_in_api,
    acts_api,
    looks_api,
    relay_api,
    assets_api,
    palette_api,
    panel_pages_api,
    home_api,
    calendar_api,
    schedules_api,
    runs_api,
    missions_api,
    approvals_api,
    chat_api,
    reminders_api,
    notes_api,
    usage_api,
    keys_api,
    users_api,
    workbench_api,
    echo_receiver_api,
    receiver_check_api,
    webhooks_api,
    deliveries_api,
    inbound_api,
    dead_letters_api,
    events_api,
    integrations_api,
    operations_api,
):
    api.include(_part)


@api.get("/dashboard/{path:.*}")
async def refuse_path(_: Request, path: str) -> web.Response:
    """Refuse a path that no page has."""
    raise NotFound(f"there is no page /dashboard/{path[:100]}")
