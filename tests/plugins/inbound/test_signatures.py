"""Signatures of inbound requests: published examples of the senders, and what is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
import standardwebhooks
import svix
from support.pages import read_examples

from biont.exceptions import InvalidInput, Unauthorized
from biont_inbound.message import IncomingMessage
from biont_inbound.presets import PRESETS
from biont_inbound.signatures import SignatureTemplate, check_secret, verify_message

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
FORM = {"content-type": "application/x-www-form-urlencoded"}
URL = "https://example.com/hooks/x"


def verify(
    preset: str,
    secret: str,
    content: bytes,
    headers: dict[str, str],
    *,
    now: datetime = NOW,
    url: str = URL,
    query: dict[str, str] | None = None,
) -> str | None:
    """Verify a request by a preset; return the id of the request."""
    message = IncomingMessage(headers, query or {}, content, url)
    return verify_message(PRESETS[preset].template, [secret], message, now)


def at(seconds: int) -> datetime:
    """Return the instant of a number of seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)


def test_example_of_standard_webhooks() -> None:
    """https://github.com/standard-webhooks/standard-webhooks, the example of the libraries."""
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,abc v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    content = b'{"test": 2432232314}'
    found = verify("standard", secret, content, headers, now=at(1614265330))
    assert found == "msg_p5jXN8AQM9LWM0D4loKWxJek"


def test_standardwebhooks_signs_for_the_standard_preset() -> None:
    secret = "whsec_" + base64.b64encode(b"k" * 32).decode()
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(NOW.timestamp())),
        "webhook-signature": standardwebhooks.Webhook(secret).sign("msg_1", NOW, "{}"),
    }
    assert verify("standard", secret, b"{}", headers) == "msg_1"


def test_svix_signs_for_the_standard_preset() -> None:
    secret = "whsec_" + base64.b64encode(b"k" * 24).decode()
    signature = svix.Webhook(secret).sign("msg_1", NOW, "{}")
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(NOW.timestamp())),
        "webhook-signature": signature,
    }
    assert verify("standard", secret, b"{}", headers) == "msg_1"


def test_example_of_github() -> None:
    """https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries."""
    headers = {
        "x-hub-signature-256": "sha256="
        "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
    }
    secret = "It's a Secret to Everybody"
    found = verify("github", secret, b"Hello, World!", headers)
    assert found == "72d3162e-cc78-11e3-81ab-4c9367dc0958"
    with pytest.raises(Unauthorized, match="does not match"):
        verify("github", secret, b"Hello, World?", headers)


def test_example_of_slack() -> None:
    """https://docs.slack.dev/authentication/verifying-requests-from-slack."""
    content = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
        b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
        b"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands"
        b"%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
        b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    headers = {
        **FORM,
        "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        "x-slack-request-timestamp": "1531420618",
    }
    secret = "8f742231b10e8888abcd99yyyzzz85a5"
    found = verify("slack", secret, content, headers, now=at(1531420618 + 299))
    assert found is not None
    assert found.startswith("signature-")
    with pytest.raises(Unauthorized, match="301 s old"):
        verify("slack", secret, content, headers, now=at(1531420618 + 301))


def test_example_of_twilio() -> None:
    """https://www.twilio.com/docs/usage/security, the example of Twilio's libraries."""
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    headers = {**FORM, "x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    content = urlencode(form).encode()
    assert verify("twilio", "12345", content, headers, url=url) is None
    with pytest.raises(Unauthorized):
        verify("twilio", "12345", content, headers, url=url + "3")


def test_twilio_signs_the_digest_of_a_json_body() -> None:
    content = b'{"property": "value", "boolean": true}'
    digest = hashlib.sha256(content).hexdigest()
    assert digest == "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
    url = f"https://mycompany.com/myapp.php?foo=1&bar=2&bodySHA256={digest}"
    signature = base64.b64encode(hmac.digest(b"12345", url.encode(), "sha1")).decode()
    headers = {"content-type": "application/json", "x-twilio-signature": signature}
    query = {"foo": "1", "bar": "2", "bodySHA256": digest}
    assert verify("twilio", "12345", content, headers, url=url, query=query) is None
    with pytest.raises(Unauthorized, match="digest"):
        verify("twilio", "12345", content + b" ", headers, url=url, query=query)
    with pytest.raises(Unauthorized, match="digest"):
        verify("twilio", "12345", content, headers, url=url)


def test_stripe_signs_time_and_body() -> None:
    """https://docs.stripe.com/webhooks/signature: the scheme t=..., v1=..., and v0 is ignored."""
    seconds = int(NOW.timestamp())
    content = b'{"id": "evt_1", "type": "invoice.paid"}'
    mac = hmac.digest(b"whsec_test", b"%d." % seconds + content, "sha256").hex()
    headers = {"stripe-signature": f"t={seconds},v1={'0' * 64},v1={mac},v0=abc"}
    assert verify("stripe", "whsec_test", content, headers) == "evt_1"
    with pytest.raises(Unauthorized):
        verify("stripe", "whsec_test", content, {"stripe-signature": f"t={seconds},v0={mac}"})
    with pytest.raises(Unauthorized, match="signed time is missing"):
        verify("stripe", "whsec_test", content, {"stripe-signature": f"v1={mac}"})
    with pytest.raises(Unauthorized, match="in the future"):
        verify("stripe", "whsec_test", content, headers, now=NOW - timedelta(seconds=301))


def test_shopify_signs_the_body_in_base64() -> None:
    mac = base64.b64encode(hmac.digest(b"secret-1", b"{}", "sha256")).decode()
    headers = {"x-shopify-hmac-sha256": mac, "x-shopify-webhook-id": "b54557e4"}
    assert verify("shopify", "secret-1", b"{}", headers) == "b54557e4"


def test_linear_has_its_time_in_the_body() -> None:
    milliseconds = int(NOW.timestamp() * 1000)
    content = b'{"action": "create", "webhookTimestamp": %d}' % milliseconds
    headers = {
        "linear-signature": hmac.digest(b"secret-1", content, "sha256").hex(),
        "linear-delivery": "234d1a4e",
    }
    assert verify("linear", "secret-1", content, headers) == "234d1a4e"
    with pytest.raises(Unauthorized, match="61 s old"):
        verify("linear", "secret-1", content, headers, now=NOW + timedelta(seconds=61))


def test_mailgun_signs_time_and_token() -> None:
    seconds = str(int(NOW.timestamp()))
    mac = hmac.digest(b"key-1234", f"{seconds}token-1".encode(), "sha256").hex()
    content = (
        b'{"signature": {"timestamp": "%b", "token": "token-1", "signature": "%b"}, '
        b'"event-data": {"event": "opened"}}' % (seconds.encode(), mac.encode())
    )
    assert verify("mailgun", "key-1234", content, {}) == "token-1"


def test_gitlab_sends_the_secret() -> None:
    headers = {"x-gitlab-token": "secret-1", "x-gitlab-event-uuid": "13792a34"}
    assert verify("gitlab", "secret-1", b"{}", headers) == "13792a34"
    with pytest.raises(Unauthorized):
        verify("gitlab", "secret-2", b"{}", headers)


def test_a_bearer_token_is_the_secret() -> None:
    assert verify("bearer", "secret-1", b"{}", {"authorization": "Bearer secret-1"}) is None
    for wrong in ("Bearer secret-2", "secret-1", "Bearer ", "Basic secret-1"):
        with pytest.raises(Unauthorized):
            verify("bearer", "secret-1", b"{}", {"authorization": wrong})


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_a_template_describes_any_hmac(algorithm: str, encoding: str) -> None:
    template = SignatureTemplate.model_validate(
        {
            "algorithm": algorithm,
            "encoding": encoding,
            "signature": "headers.x-mac",
            "prefix": "mac ",
            "signed": "{id}:{body}",
            "ids": ["headers.x-id"],
        }
    )
    digest = hmac.digest(b"key", b"7:{body}", algorithm)
    text = digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()
    message = IncomingMessage({"x-mac": f"mac {text}", "x-id": "7"}, {}, b"{body}", URL)
    assert verify_message(template, ["wrong", "key"], message, NOW) == "7"
    with pytest.raises(Unauthorized):
        verify_message(template, ["wrong"], message, NOW)


def test_hex_in_upper_case_matches_and_base64_does_not() -> None:
    mac = hmac.digest(b"secret-1", b"{}", "sha256")
    template = SignatureTemplate(signature="headers.x-mac")
    message = IncomingMessage({"x-mac": mac.hex().upper()}, {}, b"{}", URL)
    assert verify_message(template, ["secret-1"], message, NOW) is None
    encoded = base64.b64encode(mac).decode().swapcase()
    with pytest.raises(Unauthorized):
        verify("shopify", "secret-1", b"{}", {"x-shopify-hmac-sha256": encoded})


def test_the_example_of_the_documentation_is_a_template() -> None:
    (example,) = read_examples("docs/how-to/inbound-webhooks.md", "signature")
    template = SignatureTemplate.model_validate_json(example)
    seconds = str(int(NOW.timestamp()))
    mac = base64.b64encode(hmac.digest(b"secret-1", f"{seconds}.text".encode(), "sha512")).decode()
    headers = {
        "x-shop-signature": f"v1={mac}",
        "x-shop-time": seconds,
        "x-shop-delivery": "9",
    }
    message = IncomingMessage(headers, {}, b"text", URL)
    assert verify_message(template, ["secret-1"], message, NOW + timedelta(seconds=120)) == "9"
    with pytest.raises(Unauthorized, match="121 s old"):
        verify_message(template, ["secret-1"], message, NOW + timedelta(seconds=121))


def test_a_time_that_is_not_signed_is_refused_in_a_template() -> None:
    with pytest.raises(ValueError, match="not signed"):
        SignatureTemplate(signature="headers.x-mac", timestamp="headers.x-time")


def test_a_secret_has_the_form_that_the_signature_needs() -> None:
    with pytest.raises(InvalidInput):
        check_secret(PRESETS["standard"].template, "whsec_not base64!")
    check_secret(PRESETS["standard"].template, "whsec_" + base64.b64encode(b"k" * 24).decode())
    check_secret(PRESETS["github"].template, "not base64!")
