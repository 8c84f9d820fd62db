"""Models that a form offers."""

from __future__ import annotations

from collections.abc import Sequence

from biont_dashboard.visit import Visit, list_objects


async def list_model_choices(visit: Visit, present: str = "") -> Sequence[tuple[str, str]]:
    """Return the values and words of the models that a user can choose, the default first.

    Args:
        visit: the visit.
        present: the model that is chosen already, which may be away at present.
    """
    backends = await visit.read_rows("/api/v1/models")
    default = next((str(each["name"]) for each in backends if each["default"]), "")
    names = [str(model["id"]) for each in backends for model in list_objects(each, "models")]
    if present and present not in names:
        names.insert(0, present)
    return [
        ("", f"Default ({default})" if default else "Default"),
        *((name, name) for name in names),
    ]
