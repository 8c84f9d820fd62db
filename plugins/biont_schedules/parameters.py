"""What a schedule says to its job."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue, ValidationError

from biont import JobKind
from biont.exceptions import InputProblem, InvalidInput, Location, point_to


def check_parameters(
    kinds: Mapping[str, JobKind],
    job: str,
    parameters: Mapping[str, JsonValue],
    prompt: str | None,
) -> str:
    """Return the parameters of a job as JSON.

    Raises:
        InvalidInput: they are not what its kind needs, or there is no such kind.
    """
    kind = kinds.get(job)
    if kind is None:
        raise InvalidInput(
            InputProblem(f"there is no such job; choose from {', '.join(sorted(kinds))}", "#/job")
        )
    given = dict(parameters)
    if prompt is not None:
        given["prompt"] = prompt
    try:
        return kind.parameters.model_validate(given).model_dump_json()
    except ValidationError as error:
        raise InvalidInput.from_validation(error, _point_to) from error


def _point_to(location: Location) -> str:
    return "#/prompt" if location == ("prompt",) else point_to(("parameters", *location))
