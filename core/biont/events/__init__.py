"""Events: what happens, and who is told."""

from biont.events.handlers import Handler, Subscription, collect_handlers, on
from biont.events.system import EventSystem

__all__ = ["EventSystem", "Handler", "Subscription", "collect_handlers", "on"]
