"""Services: objects that plugins offer to one another, found by typed names."""

from __future__ import annotations

from typing import Generic, TypeVar, cast

from biont.exceptions import PluginError
from biont.runtime.plugin_tasks import current_plugin

T = TypeVar("T")


class Service(Generic[T]):
    """Typed name under which a plugin offers an object.

    A plugin defines the service beside the class of the object, so that other plugins import
    both from one module::

        NOTES = Service["Notes"]("notes", provider="notes")

    Args:
        name: the name in error messages.
        provider: the plugin that the operator has to install or repair if the service is missing.
    """

    __slots__ = ("name", "provider")

    def __init__(self, name: str, *, provider: str) -> None:
        self.name = name
        self.provider = provider


class Services:
    """Services of one workbench."""

    def __init__(self) -> None:
        self._offered: dict[Service[object], object] = {}
        self._owners: dict[Service[object], str | None] = {}

    def provide(self, service: Service[T], value: T) -> None:
        """Offer `value` as `service`.

        Raises:
            PluginError: the service has a value already, or belongs to another plugin.
        """
        plugin = current_plugin.get()
        if plugin not in (None, service.provider):
            raise PluginError(
                f"the service {service.name!r} can only be offered by {service.provider!r}"
            )
        # A dictionary cannot relate the type of a key to the type of its value.
        key = cast("Service[object]", service)
        if key in self._offered:
            raise PluginError(f"the service {service.name!r} is offered twice")
        self._offered[key] = value
        self._owners[key] = plugin

    def withdraw(self, plugin: str) -> None:
        """Remove the services of a plugin that went into quarantine."""
        for key, owner in list(self._owners.items()):
            if owner == plugin:
                del self._offered[key], self._owners[key]

    def replace(self, service: Service[T], value: T) -> None:
        """Offer `value` instead of an earlier value, for tests."""
        self._offered[cast("Service[object]", service)] = value

    def get(self, service: Service[T]) -> T:
        """Return the object that is offered as `service`.

        Raises:
            PluginError: no plugin offers the service.
        """
        try:
            return cast("T", self._offered[cast("Service[object]", service)])
        except KeyError:
            raise PluginError(
                f"the service {service.name!r} is missing: "
                f"the plugin {service.provider!r} is not installed, disabled or in quarantine"
            ) from None
