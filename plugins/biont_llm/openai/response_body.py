"""What counts as an answer in OpenAI's chat protocol, when it comes in one piece."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationError

from biont import Schema
from biont.exceptions import InvalidAnswer, describe_validation_error
from biont.llm import Completion, FinishReason, TokenUsage, ToolCall

Count = Annotated[int, Field(ge=0, le=10**12)]
ModelName = Annotated[str, Field(min_length=1, max_length=500)]


class Function(Schema):
    """What a tool call calls."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    arguments: str = ""


class ReportedToolCall(Schema):
    """A tool call."""

    id: Annotated[str, Field(min_length=1, max_length=200)]
    function: Function

    def read(self) -> ToolCall:
        """Return it in our own terms."""
        return ToolCall(self.id, self.function.name, self.function.arguments)


class _Message(Schema):
    content: Annotated[str, BeforeValidator(lambda content: "" if content is None else content)]
    tool_calls: list[ReportedToolCall] | None = None


class _Choice(Schema):
    message: _Message
    finish_reason: FinishReason


class ReportedUsage(Schema):
    """What a server says an answer has cost."""

    prompt_tokens: Count | None = None
    completion_tokens: Count | None = None

    def read(self) -> TokenUsage | None:
        """Return it if the server has counted both."""
        if self.prompt_tokens is None or self.completion_tokens is None:
            return None
        return TokenUsage(self.prompt_tokens, self.completion_tokens)


class _Answer(Schema):
    choices: Annotated[list[_Choice], Field(min_length=1)]
    model: ModelName
    usage: ReportedUsage | None = None


def read_answer(body: bytes) -> Completion:
    """Return what stands in the body of a successful response.

    Raises:
        InvalidAnswer: the body is no chat completion, has neither text nor tool calls,
            or ends for another reason than being complete or as long as allowed.
    """
    try:
        answer = _Answer.model_validate_json(body)
    except ValidationError as error:
        raise InvalidAnswer(explain(error)) from error
    choice = answer.choices[0]
    completion = Completion(
        text=choice.message.content.strip(),
        model=answer.model,
        finish_reason=choice.finish_reason,
        tool_calls=tuple(call.read() for call in choice.message.tool_calls or ()),
        usage=answer.usage.read() if answer.usage else None,
    )
    check_content(
        completion.finish_reason,
        has_text=bool(completion.text),
        has_calls=bool(completion.tool_calls),
    )
    return completion


def check_content(reason: FinishReason, *, has_text: bool, has_calls: bool) -> None:
    """Check that an answer says something.

    Raises:
        InvalidAnswer: it has neither text nor tool calls, or ends for the sake of tool
            calls and has none.
    """
    if reason == "tool_calls" and not has_calls:
        raise InvalidAnswer(
            "the model's server gave no usable answer: finish_reason: tool_calls, without a call"
        )
    if not has_text and not has_calls:
        raise InvalidAnswer(
            "the model's server gave no usable answer: the content is empty; if the model thinks "
            "before it speaks, raise plugins.llm.max_tokens"
        )


def explain(error: ValidationError) -> str:
    """Return what is wrong with an answer, and where."""
    problem = describe_validation_error(error, root="the body", limit=1)
    return f"the model's server gave no usable answer: {problem}"


def read_reason(body: object) -> str:
    """Return what a server says of an error; nothing where it says it in HTML."""
    said = body
    for name in ("error", "message"):
        if isinstance(said, dict):
            said = said.get(name, said)
    if not isinstance(said, str) or said.lstrip().startswith("<"):
        return ""
    return " ".join(said.split())
