"""The routes of the core, in the order of the API document."""

from __future__ import annotations

from biont.http.admin_routes import api as admin_api
from biont.http.core_routes import api as core_api
from biont.http.core_routes import event_api
from biont.http.dead_letter_routes import api as dead_letter_api
from biont.http.key_routes import api as key_api
from biont.http.log_routes import api as log_api
from biont.http.operation_routes import api as operation_api
from biont.http.pages.routes import api as pages_api
from biont.http.system_routes import api as system_api
from biont.http.user_routes import api as user_api

CORE_APIS = (
    core_api,
    event_api,
    key_api,
    user_api,
    admin_api,
    dead_letter_api,
    operation_api,
    system_api,
    log_api,
    pages_api,
)
