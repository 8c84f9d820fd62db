"""What counts as an answer in OpenAI's chat protocol."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints, ValidationError

from biont import Completion
from biont.exceptions import InvalidAnswer

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Count = Annotated[int, Field(ge=0)]


class _Message(BaseModel):
    content: Text


class _Choice(BaseModel):
    message: _Message
    finish_reason: Literal["stop", "length"]


class _Usage(BaseModel):
    prompt_tokens: Count | None = None
    completion_tokens: Count | None = None


class _Answer(BaseModel):
    choices: Annotated[list[_Choice], Field(min_length=1)]
    model: Annotated[str, Field(min_length=1, max_length=500)]
    usage: _Usage | None = None


def read_answer(body: bytes) -> Completion:
    """Return what stands in the body of a successful response.

    Raises:
        InvalidAnswer: the body is no chat completion, has no text, or its text
            ends for another reason than being complete or as long as allowed.
    """
    try:
        answer = _Answer.model_validate_json(body)
    except ValidationError as error:
        raise InvalidAnswer(_explain(error)) from error
    choice = answer.choices[0]
    usage = answer.usage or _Usage()
    return Completion(
        text=choice.message.content,
        model=answer.model,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
    )


def _explain(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"])) or "the body"
    message = f"the model's server gave no usable answer: {place}: {first['msg']}"
    if first["loc"][-1:] == ("content",):
        message += "; if it thinks before it speaks, raise plugins.llm.max_tokens"
    return message
