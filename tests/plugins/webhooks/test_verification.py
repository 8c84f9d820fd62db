"""`biont webhooks verify`: findings about valid and invalid requests."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import standardwebhooks
import svix.webhooks
from hypothesis import given
from hypothesis import strategies as st
from support.process import run_biont

from biont.testing import write_config
from biont_webhooks.receiver_testing.verification import verify
from biont_webhooks.subscription.signing import SigningKey, generate_secret, sign

# The example that Standard Webhooks and Svix publish.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIMESTAMP = 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
PUBLISHED = {
    "webhook-id": MESSAGE_ID,
    "webhook-timestamp": str(TIMESTAMP),
    "webhook-signature": SIGNATURE,
}
THEN = datetime.fromtimestamp(TIMESTAMP, UTC)
OTHER = generate_secret()


def sign_example(*secrets: str, body: bytes = BODY) -> dict[str, str]:
    keys = [SigningKey(secret) for secret in secrets]
    return sign(keys, message_id=MESSAGE_ID, timestamp=TIMESTAMP, body=body)


def find_reason(headers: dict[str, str], body: bytes = BODY, *secrets: str) -> str:
    return verify(headers, body, secrets or [SECRET], now=THEN).reason


def test_published_example_is_signed_and_verified() -> None:
    assert PUBLISHED.items() <= sign_example(SECRET).items()
    assert verify(PUBLISHED, BODY, [SECRET], now=THEN).is_valid
    for webhook in (standardwebhooks.Webhook(SECRET), svix.webhooks.Webhook(SECRET)):
        assert webhook.sign(MESSAGE_ID, THEN, BODY.decode()) == SIGNATURE


@given(body=st.binary(), key=st.binary(min_size=24, max_size=64), offset=st.integers(-300, 300))
def test_signed_request_is_valid_within_the_tolerance(
    body: bytes, key: bytes, offset: int
) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()
    headers = {name.title(): value for name, value in sign_example(secret, body=body).items()}
    assert verify(headers, body, [secret], now=THEN + timedelta(seconds=offset)).is_valid


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"webhook-id": None}, "webhook-id: the header is missing"),
        ({"webhook-id": "a b"}, "webhook-id: malformed"),
        ({"webhook-id": "msg_ä\udcff"}, "webhook-id: malformed"),
        ({"webhook-id": "msg_other"}, "webhook-signature: no matching signature: another secret"),
        ({"webhook-timestamp": None}, "webhook-timestamp: the header is missing"),
        ({"webhook-timestamp": "now"}, "webhook-timestamp: malformed"),
        ({"webhook-timestamp": "1614265330.5"}, "webhook-timestamp: malformed"),
        ({"webhook-timestamp": "\u0661"}, "webhook-timestamp: malformed"),
        ({"webhook-timestamp": "9" * 20}, "webhook-timestamp: malformed"),
        ({"webhook-timestamp": "9" * 11}, "webhook-timestamp: too new"),
        ({"webhook-timestamp": str(TIMESTAMP - 301)}, "too old, more than 300 s"),
        ({"webhook-timestamp": str(TIMESTAMP + 301)}, "too new, more than 300 s"),
        ({"webhook-signature": None}, "webhook-signature: the header is missing"),
        ({"webhook-signature": " "}, "webhook-signature: the header is missing"),
        ({"webhook-signature": SIGNATURE[3:]}, "none that begins with v1,"),
        ({"webhook-signature": "v1,ä\udcff"}, "no matching signature: another secret"),
        ({"X-ASI-Signature": "0" * 64}, "X-ASI-Signature: wrong"),
    ],
)
def test_verification_names_the_wrong_header(change: dict[str, str | None], reason: str) -> None:
    changed = sign_example(SECRET) | change
    headers = {name: value for name, value in changed.items() if value is not None}
    assert reason in find_reason(headers)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"test": 2432232315}', "another secret, or the id, the timestamp or the body"),
        (b'{"test": 2432232314}\n', "signed without the line break at its end"),
        (b'{"test": 2432232314}\r\n', "signed without the line break at its end"),
        (b"", "another secret"),
    ],
)
def test_verification_names_the_change_of_the_body(body: bytes, reason: str) -> None:
    found = find_reason(sign_example(SECRET), body)
    assert reason in found
    assert "X-ASI-Signature: wrong" in found


def test_body_that_was_parsed_and_encoded_again_is_recognized() -> None:
    headers = sign_example(SECRET, body=b'{"test":2432232314}')
    assert "signed as compact JSON" in find_reason(headers, BODY)


def test_either_secret_verifies_during_a_rotation() -> None:
    headers = sign_example(SECRET, OTHER)
    assert find_reason(headers, BODY, SECRET) == ""
    assert find_reason(headers, BODY, OTHER) == ""
    found = verify(headers, BODY, [OTHER, SECRET], now=THEN).findings
    assert [finding.detail for finding in found[2:]] == [
        "signature 1 of 2 is by secret 2",
        "by secret 2",
    ]


def test_wrong_body_signature_is_reported_unless_a_newer_secret_may_have_made_it() -> None:
    wrong = {"X-ASI-Signature": sign_example(OTHER)["X-ASI-Signature"]}
    assert "X-ASI-Signature: wrong" in find_reason(sign_example(SECRET) | wrong)
    assert find_reason(sign_example(OTHER, SECRET) | wrong) == ""


def test_request_of_another_sender_needs_no_body_signature() -> None:
    assert find_reason(PUBLISHED) == ""
    assert "no matching signature" in find_reason(PUBLISHED, BODY, OTHER)


def write_request(folder: Path, headers: str, body: bytes = BODY) -> list[str]:
    (folder / "headers").write_bytes(headers.encode())
    (folder / "body").write_bytes(body)
    return ["--headers", str(folder / "headers"), "--body", str(folder / "body")]


def write_lines(headers: dict[str, str], end: str = "\n") -> str:
    return "".join(f"{name}: {value}{end}" for name, value in headers.items())


@pytest.mark.parametrize(
    "headers",
    [
        write_lines(sign_example(SECRET)),
        "POST /hook HTTP/1.1\r\nHost: a:1\r\n" + write_lines(sign_example(SECRET), "\r\n"),
        "HTTP/1.1 100 Continue\r\nX-ASI-Signature: 0\r\n\r\nHTTP/2 200 \r\n"
        + write_lines(PUBLISHED, "\r\n")
        + "\r\n",
    ],
    ids=["lines", "as a proxy writes them", "as curl writes them"],
)
async def test_a_request_in_files_is_valid(headers: str, tmp_path: Path) -> None:
    files = write_request(tmp_path, headers)
    at = ["--at", "2021-02-25T15:04:00Z"]
    code, out, error = await run_biont(
        "webhooks", "verify", "--secret", SECRET, *files, *at, config=write_config(tmp_path, {})
    )
    assert (code, out.splitlines()[-1], error) == (0, "valid", "")
    assert "webhook-timestamp: 1614265330, 2021-02-25T15:02:10Z, 110 s ago" in out


async def test_a_request_in_files_is_refused_with_the_reason(tmp_path: Path) -> None:
    files = write_request(tmp_path, write_lines(PUBLISHED), BODY + b"\n")
    code, out, _ = await run_biont(
        "webhooks",
        "verify",
        "--secret",
        OTHER,
        "--secret",
        SECRET,
        *files,
        config=write_config(tmp_path, {}),
    )
    assert (code, out.splitlines()[-1]) == (1, "not valid")
    assert "wrong  webhook-timestamp: too old, more than 300 s" in out
    assert "wrong  webhook-signature: no matching signature: the body was signed without" in out
    assert "-      X-ASI-Signature: not there" in out


async def test_the_tolerance_may_be_chosen(tmp_path: Path) -> None:
    files = write_request(tmp_path, write_lines(PUBLISHED))
    code, out, _ = await run_biont(
        "webhooks",
        "verify",
        "--secret",
        SECRET,
        *files,
        "--tolerance",
        "1e10",
        config=write_config(tmp_path, {}),
    )
    assert (code, out.splitlines()[-1]) == (0, "valid")


@pytest.mark.parametrize(
    ("arguments", "headers", "message"),
    [
        ([], "", "give --secret, or set BIONT_WEBHOOK_SECRET"),
        (["--secret", "short"], "", "the secret must be 16-128 printable ASCII characters"),
        (["--secret", SECRET], "a: b\nno header\n", "line 2 of the headers is not of the form"),
        (["--secret", SECRET, "--at", "soon"], "", "'soon' is not an instant"),
    ],
)
async def test_verify_reports_invalid_arguments_without_a_traceback(
    arguments: list[str], headers: str, message: str, tmp_path: Path
) -> None:
    files = write_request(tmp_path, headers)
    code, _, error = await run_biont(
        "webhooks", "verify", *arguments, *files, config=write_config(tmp_path, {})
    )
    assert code != 0
    assert message in " ".join(error.split())
    assert "Traceback" not in error
