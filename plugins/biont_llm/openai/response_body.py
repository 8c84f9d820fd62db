"""Parser of whole answers in OpenAI's chat protocol, which rejects incomplete answers."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationError

from biont import Schema
from biont.exceptions import InvalidAnswer, describe_validation_error
from biont.llm import Completion, FinishReason, TokenUsage, ToolCall

Count = Annotated[int, Field(ge=0, le=10**12)]
ModelName = Annotated[str, Field(min_length=1, max_length=500)]


class Function(Schema):
    """Function of a tool call."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    arguments: str = ""


class ReportedToolCall(Schema):
    """Tool call in a server's answer."""

    id: Annotated[str, Field(min_length=1, max_length=200)]
    function: Function

    def to_tool_call(self) -> ToolCall:
        """Return the tool call for the workbench."""
        return ToolCall(self.id, self.function.name, self.function.arguments)


class _Message(Schema):
    # Null beside tool calls.
    content: Annotated[str, BeforeValidator(lambda content: "" if content is None else content)]
    tool_calls: list[ReportedToolCall] | None = None


class _Choice(Schema):
    message: _Message
    # Another reason, such as content_filter, marks an incomplete answer.
    finish_reason: FinishReason


class ReportedUsage(Schema):
    """Usage in a server's answer."""

    prompt_tokens: Count | None = None
    completion_tokens: Count | None = None

    def to_usage(self) -> TokenUsage | None:
        """Return the usage; None unless the server reports both counts."""
        if self.prompt_tokens is None or self.completion_tokens is None:
            return None
        return TokenUsage(self.prompt_tokens, self.completion_tokens)


class _Answer(Schema):
    choices: Annotated[list[_Choice], Field(min_length=1)]
    model: ModelName
    usage: ReportedUsage | None = None


def parse_completion(body: bytes) -> Completion:
    """Return the completion in the body of a successful response.

    Raises:
        InvalidAnswer: the body is not a chat completion, has neither text nor tool calls,
            or has an unknown finish reason.
    """
    try:
        answer = _Answer.model_validate_json(body)
    except ValidationError as error:
        raise InvalidAnswer(describe_invalid_answer(error)) from error
    choice = answer.choices[0]
    completion = Completion(
        text=choice.message.content.strip(),
        model=answer.model,
        finish_reason=choice.finish_reason,
        tool_calls=tuple(call.to_tool_call() for call in choice.message.tool_calls or ()),
        usage=answer.usage.to_usage() if answer.usage else None,
    )
    check_content(
        completion.finish_reason,
        has_text=bool(completion.text),
        has_calls=bool(completion.tool_calls),
    )
    return completion


def check_content(reason: FinishReason, *, has_text: bool, has_calls: bool) -> None:
    """Check that an answer has a content.

    Raises:
        InvalidAnswer: the answer has neither text nor tool calls, or has the finish reason
            ``tool_calls`` without a tool call.
    """
    if reason == "tool_calls" and not has_calls:
        raise InvalidAnswer(
            "the model's server gave no usable answer: finish_reason tool_calls without a call"
        )
    if not has_text and not has_calls:
        raise InvalidAnswer(
            "the model's server gave no usable answer: the content is empty; if the model thinks "
            "before it answers, raise plugins.llm.max_tokens"
        )


def describe_invalid_answer(error: ValidationError) -> str:
    """Return the first error of an invalid answer, with its place."""
    problem = describe_validation_error(error, root="the body", limit=1)
    return f"the model's server gave no usable answer: {problem}"


def extract_error_text(body: object) -> str:
    """Return the error message in a server's error document; empty for HTML and others."""
    text = body
    # Servers send {"error": {"message": ...}}, {"error": ...}, {"message": ...} or a string.
    for name in ("error", "message"):
        if isinstance(text, dict):
            text = text.get(name, text)
    if not isinstance(text, str) or text.lstrip().startswith("<"):
        return ""
    return " ".join(text.split())
