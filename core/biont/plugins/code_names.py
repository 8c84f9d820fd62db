"""Code names: the route or handler of a function, so that the watchdog can name a blocking one."""

from __future__ import annotations

from collections.abc import Iterable
from types import CodeType

from biont.events.handlers import Handler
from biont.http.endpoint import Endpoint
from biont.runtime.loop_watchdog import name_function


def name_code(endpoints: Iterable[Endpoint], handlers: Iterable[Handler]) -> dict[CodeType, str]:
    """Return the name of the code of each route and handler."""
    names: dict[CodeType, str] = {}
    for endpoint in endpoints:
        names |= name_function(endpoint.route.function, endpoint.route.name)
    for handler in handlers:
        names |= name_function(handler.function, f"handler {handler.name}")
    return names
