"""Validation of job parameters by the model of the job kind."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue, ValidationError
from pydantic_core import to_json

from biont import JobKind
from biont.exceptions import InputProblem, InvalidInput, Location, point_to

WRITTEN = "written"
"""Context of the validation of parameters that a client sends, unlike stored parameters."""


def check_parameters(
    kinds: Mapping[str, JobKind],
    job: str,
    parameters: Mapping[str, JsonValue],
    prompt: str | None,
) -> str:
    """Return valid parameters of a job as JSON.

    Args:
        kinds: the job kinds by name.
        job: the name of the job kind.
        parameters: the parameters that the client sent.
        prompt: the prompt that the client sent beside the parameters.

    Raises:
        InvalidInput: the parameters do not fit the job kind, or no such kind exists.
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
        # As strict JSON, like the body of a request: "5" is no number.
        valid = kind.parameters.model_validate_json(to_json(given), strict=True, context=WRITTEN)
    except ValidationError as error:
        raise InvalidInput.from_validation(error, _point_to_parameter) from error
    return valid.model_dump_json()


def _point_to_parameter(location: Location) -> str:
    return "#/prompt" if location == ("prompt",) else point_to(("parameters", *location))
