from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable

import pytest
import standardwebhooks
import svix.webhooks
from hypothesis import given
from hypothesis import strategies as st

from biont_webhooks.subscription.signing import SigningKey, generate_secret, sign, validate_secret

Verify = Callable[[str, bytes, dict[str, str]], None]

MESSAGE_ID = "01931f3e-7a4c-7d3e-9f00-5a1b2c3d4e5f"
PLAIN_SECRET = "correct-horse-battery-staple"


def verify_by_standard_webhooks(secret: str, body: bytes, headers: dict[str, str]) -> None:
    standardwebhooks.Webhook(secret).verify(body, headers, json_parse=False)


def verify_by_svix(secret: str, body: bytes, headers: dict[str, str]) -> None:
    svix.webhooks.Webhook(secret).verify(body, headers)


both_libraries = pytest.mark.parametrize("verify", [verify_by_standard_webhooks, verify_by_svix])


def sign_now(*secrets: str, body: bytes = b"{}") -> dict[str, str]:
    keys = [SigningKey(secret) for secret in secrets]
    return sign(keys, message_id=MESSAGE_ID, timestamp=int(time.time()), body=body)


def encode(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()


def test_published_example_gets_the_published_signature() -> None:
    headers = sign(
        [SigningKey("whsec_plJ3nmyCDGBKInavdOK15jsl")],
        message_id="msg_loFOjxBNrRLzqYUf",
        timestamp=1731705121,
        body=b'{"event_type":"ping","data":{"success":true}}',
    )
    assert headers["webhook-id"] == "msg_loFOjxBNrRLzqYUf"
    assert headers["webhook-timestamp"] == "1731705121"
    assert headers["webhook-signature"] == "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="


@both_libraries
@given(key=st.binary(min_size=24, max_size=64), text=st.text())
def test_public_libraries_verify_any_body(verify: Verify, key: bytes, text: str) -> None:
    secret, body = encode(key), text.encode()
    verify(secret, body, sign_now(secret, body=body))


@given(body=st.binary(), secret=st.sampled_from([PLAIN_SECRET, encode(b"k" * 32)]))
def test_the_body_alone_is_signed_with_the_secrets_text(body: bytes, secret: str) -> None:
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    assert sign_now(secret, body=body)["X-ASI-Signature"] == expected


@both_libraries
def test_a_plain_secret_verifies_as_its_base64(verify: Verify) -> None:
    verify(encode(PLAIN_SECRET.encode()), b"{}", sign_now(PLAIN_SECRET))


@both_libraries
def test_old_and_new_secret_both_verify_after_a_rotation(verify: Verify) -> None:
    current, previous = generate_secret(), generate_secret()
    headers = sign_now(current, previous)
    verify(current, b"{}", headers)
    verify(previous, b"{}", headers)


def test_the_body_alone_is_signed_with_the_current_secret() -> None:
    current, previous = generate_secret(), generate_secret()
    assert sign_now(current, previous)["X-ASI-Signature"] == sign_now(current)["X-ASI-Signature"]


@both_libraries
def test_another_secret_does_not_verify(verify: Verify) -> None:
    with pytest.raises(standardwebhooks.WebhookVerificationError, match="No matching signature"):
        verify(generate_secret(), b"{}", sign_now(generate_secret()))


@both_libraries
@pytest.mark.parametrize(
    ("body", "changed"),
    [
        (b'{"a": 2}', {}),
        (b'{"a": 1} ', {}),
        (b'{"a": 1}', {"webhook-id": "01931f3e-7a4c-7d3e-9f00-5a1b2c3d4e60"}),
        (b'{"a": 1}', {"webhook-timestamp": "a minute later"}),
        (b'{"a": 1}', {"webhook-signature": "v1," + base64.b64encode(b"0" * 32).decode()}),
    ],
    ids=["body", "space after the body", "id", "timestamp", "signature"],
)
def test_tampered_request_does_not_verify(
    verify: Verify, body: bytes, changed: dict[str, str]
) -> None:
    secret = generate_secret()
    headers = sign_now(secret, body=b'{"a": 1}') | changed
    if "webhook-timestamp" in changed:
        headers["webhook-timestamp"] = str(int(time.time()) + 60)
    with pytest.raises(standardwebhooks.WebhookVerificationError, match="No matching signature"):
        verify(secret, body, headers)


def test_a_generated_secret_is_valid_random_and_of_32_bytes() -> None:
    secrets = {generate_secret() for _ in range(100)}
    assert len(secrets) == 100
    for secret in secrets:
        assert validate_secret(secret) == secret
        assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32


@pytest.mark.parametrize(
    "secret",
    [
        encode(b"k" * 24),
        encode(b"k" * 64),
        "x" * 16,
        "~" * 128,
        PLAIN_SECRET,
    ],
)
def test_valid_secret_is_returned_unchanged(secret: str) -> None:
    assert validate_secret(secret) == secret


@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        ("", "16-128 printable ASCII"),
        ("x" * 15, "16-128 printable ASCII"),
        ("x" * 129, "16-128 printable ASCII"),
        ("sixteen-letters\n", "line break"),
        ("sixteen letters of words", "has a space"),
        ("sixteen\u00a0letters-of-words", "has a space"),
        (" " + encode(b"k" * 32), "has a space"),
        (encode(b"k" * 32) + " ", "has a space"),
        (encode(b"k" * 32).replace("a2", "a 2"), "has a space"),
        ("v1," + encode(b"k" * 32), "must begin with whsec_"),
        ("V1,WHSEC_" + "a2tr" * 8, "must begin with whsec_"),
        ("SECRET=" + encode(b"k" * 32), "must begin with whsec_"),
        ('"' + encode(b"k" * 32) + '"', "must begin with whsec_"),
        ("WHSEC_" + "a2tr" * 8, "lower case"),
        ("Whsec_" + "a2tr" * 8, "lower case"),
        ("whsk_" + "a2tr" * 8, "key pair"),
        ("v1a,whpk_" + "a2tr" * 8, "key pair"),
        ("sixteen-letters\x7f", "16-128 printable ASCII"),
        ("pässword-pässword", "16-128 printable ASCII"),
        ("whsec_", "must have 24-64"),
        ("whsec_plJ3nmyCDGBKInavdOK15jsl", "has 18 bytes"),
        (encode(b"k" * 23), "has 23 bytes"),
        (encode(b"k" * 65), "has 65 bytes"),
        ("whsec_not-base64,-but-long-enough", "must be base64"),
        (encode(b"\xff" * 24).replace("/", "_"), "must be base64"),
        (encode(b"k" * 25).rstrip("="), "padded with ="),
        (encode(b"k" * 24) + "==", "must be base64"),
        (encode(b"k" * 24) + "\n", "line break"),
        ("whsec_" + "é" * 32, "must be base64"),
    ],
)
def test_invalid_secret_is_refused_with_the_reason(secret: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as refusal:
        validate_secret(secret)
    assert len(secret) < 16 or secret not in str(refusal.value)
