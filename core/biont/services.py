"""What plugins offer to one another, by typed names."""

from __future__ import annotations

from typing import Generic, TypeVar, cast

from biont.exceptions import PluginError

T = TypeVar("T")


class Service(Generic[T]):
    """The name under which a plugin offers something.

    A plugin defines it beside the class that it offers, so that others import
    both from one place::

        NOTES = Service["Notes"]("notes", provider="notes")

    Args:
        name: tells it from the others in messages.
        provider: the plugin to install or mend when it is missing.
    """

    __slots__ = ("name", "provider")

    def __init__(self, name: str, *, provider: str) -> None:
        self.name = name
        self.provider = provider


class Services:
    """The services of one workbench."""

    def __init__(self) -> None:
        self._offered: dict[Service[object], object] = {}

    def provide(self, service: Service[T], value: T) -> None:
        """Offer `value` under the name `service`.

        Raises:
            PluginError: somebody does already.
        """
        key = cast("Service[object]", service)
        if key in self._offered:
            raise PluginError(f"the service {service.name!r} is offered twice")
        self._offered[key] = value

    def replace(self, service: Service[T], value: T) -> None:
        """Offer `value` in the place of an earlier one, as a test may want to."""
        self._offered[cast("Service[object]", service)] = value

    def get(self, service: Service[T]) -> T:
        """Return what is offered under the name `service`.

        Raises:
            PluginError: nobody offers it.
        """
        try:
            return cast("T", self._offered[cast("Service[object]", service)])
        except KeyError:
            raise PluginError(
                f"the service {service.name!r} is missing: "
                f"the plugin {service.provider!r} is not installed, disabled or in quarantine"
            ) from None
