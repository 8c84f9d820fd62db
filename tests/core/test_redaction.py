"""Redaction: secrets are found by their form, in a time linear in the text."""

from __future__ import annotations

import pytest

from biont.security import describe_exception, explain_exception, redact_secrets
from biont.security.error_texts import TEXT_LIMIT, format_traceback, shorten_text

MEBIBYTE = 1 << 20


class ExitingText(Exception):
    """Error whose text ends the process."""

    def __str__(self) -> str:
        """End the process."""
        raise SystemExit(3)


class ClosedAttributes(Exception):
    """Error whose attributes cannot be read."""

    def __getattribute__(self, name: str) -> object:
        """Refuse every attribute."""
        raise RuntimeError(name)


class BrokenText(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("key asb_0123456789abcdef!", "key asb_***!"),
        ("whsec_MfKQ9r8GKYqrTwjU is wrong", "whsec_*** is wrong"),
        ("no sk-proj-0123456789_abc here", "no sk-*** here"),
        ("Authorization: Bearer abc.def~ghi=", "Authorization: Bearer ***"),
        ("BASIC dXNlcjpwYXNz", "BASIC ***"),
        ("https://ada:p@ss@books.example/x", "https://ada:***@books.example/x"),
        ("db_password = hunter2; more", "db_password = ***; more"),
        ("{'api-key': 'abc', 'n': 1}", "{'api-key': '***', 'n': 1}"),
        ('"{\\"client_secret\\": \\"abc\\"}"', '"{\\"client_secret\\": \\"***\\"}"'),
        ("TOKEN=abc&x=1", "TOKEN=***&x=1"),
        ("aws_secret_access_key=AbC/d", "aws_secret_access_key=***"),
        ("pwd=abc passphrase: abc", "pwd=*** passphrase: ***"),
        ("private_key => abc", "private_key => ***"),
        ("a=1&password%3Dabc", "a=1&password%3D***"),
        ("<password>abc</password>", "<password>***</password>"),
        ("login --password abc --user x", "login --password *** --user x"),
        ("Authorization: Token abc", "Authorization: Token ***"),
        ("{'authorization': 'abc'}", "{'authorization': '***'}"),
        ("Cookie: a=b; c=d\nHost: x", "Cookie: ***\nHost: x"),
        ("ghp_0123456789ab xoxb-1234-abcdef", "ghp_*** xoxb-***"),
        ("AKIA0123456789ABCDEF sk_live_0123456789", "AKIA*** sk_live_***"),
        ("eyJhbGciOiJIUzI1NiJ9.e30.abc", "eyJ***"),
        ("max_tokens=100, task-abcdefghijkl", "max_tokens=100, task-abcdefghijkl"),
    ],
)
def test_secrets_are_redacted_by_their_form(text: str, redacted: str) -> None:
    assert redact_secrets(text) == redacted


# A pattern that is not linear would take hours for each of these texts.
@pytest.mark.parametrize(
    "piece",
    ["a-", "a", "token ", "token" + " " * 500, "token\\", "://a:", "a:", "bearer ", "sk-", "asb_",
     "password=", "api_", "authorization:", "authorization: a", "cookie:", "--password ", "eyJ.",
     "access", "pwd>", "token%3d", "'\"", "\n", "s:@/"],
)  # fmt: skip
def test_redaction_of_a_mebibyte_takes_linear_time(piece: str) -> None:
    text = piece * (MEBIBYTE // len(piece))
    assert redact_secrets(text + "|\ntoken=abc").endswith("token=***")
    assert redact_secrets("://" + text).startswith("://")


def test_a_long_text_is_shortened_to_its_beginning_and_its_last_lines() -> None:
    lines = "\n".join(f"line {number}" for number in range(10_000))
    short = shorten_text(lines, 1000)
    assert short.startswith("line 0\n")
    assert short.endswith("line 9999")
    assert "characters left out" in short
    assert len(short) < 1100
    assert shorten_text("short", 5) == "short"


def test_the_rest_of_a_cut_line_is_left_out() -> None:
    # The name of the secret is cut off, so its form is gone.
    text = "x" * 1000 + " password=" + "y" * 1000
    assert "y" not in shorten_text(text, 800)


def test_an_exception_without_a_text_has_its_type() -> None:
    for error in (BrokenText(), BrokenText("x")):
        assert describe_exception(error) == "BrokenText"
        assert explain_exception(error) == "BrokenText"
        assert "BrokenText" in format_traceback(error)
    assert explain_exception(ValueError("password=x1")) == "password=***"
    assert describe_exception(ValueError("password=x1")) == "ValueError: password=***"


def test_texts_of_exceptions_are_bounded() -> None:
    error = ValueError("a-" * MEBIBYTE)
    for text in (describe_exception(error), explain_exception(error), format_traceback(error)):
        assert len(text) < TEXT_LIMIT + 100
    assert len(describe_exception(error, 100)) < 200


def test_an_error_that_cannot_be_read_is_described_by_its_type() -> None:
    nested: Exception = ValueError("inside")
    for _ in range(3000):
        nested = ExceptionGroup("group", [nested])
    for error in (ExitingText(), ClosedAttributes(), nested):
        assert type(error).__name__ in describe_exception(error)
        assert type(error).__name__ in format_traceback(error)
