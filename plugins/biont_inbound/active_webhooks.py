"""Active webhooks: inbound webhooks in the form that receives requests.

All webhooks are in memory, so that a request needs no read before its own transaction, and the
requests of one webhook are written in the order of their arrival.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import orjson

from biont import Store
from biont.exceptions import Forbidden
from biont.http import Rate, RateLimit
from biont.security import Vault
from biont.store import dump_json, format_instant
from biont_inbound.actions import ACTION, AnyAction
from biont_inbound.presets import PRESETS, Preset
from biont_inbound.signatures import SignatureTemplate
from biont_inbound.tables import InboundWebhook
from biont_webhooks import PayloadFilter, load_filter

MOST_SECRETS = 10
"""The most replaced secrets that are still accepted."""


@dataclass(frozen=True)
class ActiveWebhook:
    """Inbound webhook with decrypted secrets and a compiled filter.

    Attributes:
        id: the number of the webhook.
        user_id: the user for whom the webhook acts.
        name: the name.
        preset_name: the name of the preset.
        template: the signature template; None for requests without signature.
        secrets: the secrets, each with the instant at which the secret ends; None for no end.
        action: the action.
        filter: the filter that the document of a request has to match; None for any.
        networks: the networks of permitted clients; None for all.
        limit: the rate of requests.
        paused: whether requests are refused.
    """

    id: int
    user_id: int
    name: str
    preset_name: str
    template: SignatureTemplate | None
    secrets: Sequence[tuple[str, datetime | None]]
    action: AnyAction
    filter: PayloadFilter | None
    networks: Sequence[IPv4Network | IPv6Network] | None
    limit: RateLimit[int]
    paused: bool

    @property
    def preset(self) -> Preset:
        """The preset."""
        return PRESETS[self.preset_name]

    def list_secrets(self, now: datetime) -> list[str]:
        """Return the secrets that are valid at `now`."""
        return [secret for secret, until in self.secrets if until is None or now < until]

    def check_address(self, address: str) -> None:
        """Check that a client may send requests.

        Raises:
            Forbidden: the address is in none of the webhook's networks.
        """
        if self.networks is None:
            return
        try:
            client = ip_address(address)
        except ValueError:
            client = None
        if client is None or not any(client in network for network in self.networks):
            raise Forbidden(
                f"the address {address} is not among the addresses of this webhook; behind a "
                "proxy, see server.trusted_proxies"
            )


class ActiveWebhooks:
    """All inbound webhooks of the workbench, by the hash of the token in the URL.

    Args:
        store: the store with the webhooks.
        vault: decrypts the secrets.
        rate: the rate of a webhook that sets none, in requests a second.
    """

    def __init__(self, store: Store, vault: Vault, rate: float) -> None:
        self._store = store
        self._vault = vault
        self._rate = rate
        self._webhooks: Mapping[str, ActiveWebhook] = {}
        self._limits: dict[int, RateLimit[int]] = {}
        self._loading = asyncio.Lock()

    async def load(self) -> None:
        """Read all webhooks; requests that arrive in between meet the former ones."""
        # One after the other: a load that began before a change must not end after it.
        async with self._loading:
            self._webhooks = await self._store.read(self._select)

    def find(self, token: str) -> ActiveWebhook | None:
        """Return the webhook of a token in a URL, if there is any."""
        return self._webhooks.get(hash_token(token))

    def make(self, row: InboundWebhook) -> ActiveWebhook:
        """Return the webhook of a row.

        Raises:
            VaultError: a secret cannot be read.
        """
        addresses = None if row.addresses is None else orjson.loads(row.addresses)
        return ActiveWebhook(
            id=row.id,
            user_id=row.user_id,
            name=row.name,
            preset_name=row.preset,
            template=None
            if row.template is None
            else SignatureTemplate.model_validate_json(row.template),
            secrets=self._read_secrets(row),
            action=ACTION.validate_json(row.action),
            filter=None if row.payload_filter is None else load_filter(row.payload_filter),
            networks=None if addresses is None else [ip_network(each) for each in addresses],
            limit=self._find_limit(row),
            paused=row.paused,
        )

    def _select(self) -> dict[str, ActiveWebhook]:
        return {row.token_hash: self.make(row) for row in InboundWebhook.select()}

    def _find_limit(self, row: InboundWebhook) -> RateLimit[int]:
        """Return the limit of a webhook, which stays the same while the rate does."""
        rate = make_rate(row.rate or self._rate)
        present = self._limits.get(row.id)
        if present is None or present.rate != rate:
            present = self._limits[row.id] = RateLimit("inbound", rate)
        return present

    def _read_secrets(self, row: InboundWebhook) -> list[tuple[str, datetime | None]]:
        present = [] if row.secret is None else [(self._vault.decrypt(row.secret), None)]
        replaced = [
            (self._vault.decrypt(token), until) for token, until in load_previous_secrets(row)
        ]
        return [*present, *replaced]


def hash_token(token: str) -> str:
    """Return the hash by which a token is stored."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def make_rate(rate: float) -> Rate:
    """Return the rate limit of `rate` requests a second, with a burst of ten seconds."""
    return Rate(max(1, round(rate * 10)), 10)


def load_previous_secrets(row: InboundWebhook) -> list[tuple[str, datetime]]:
    """Return the replaced secrets of a row, encrypted, each with the instant of its end."""
    if row.previous_secrets is None:
        return []
    return [
        (token, datetime.fromisoformat(until))
        for token, until in orjson.loads(row.previous_secrets)
    ]


def dump_previous_secrets(secrets: Sequence[tuple[str, datetime]]) -> str | None:
    """Return replaced secrets as the value of the column."""
    if not secrets:
        return None
    return dump_json([(token, format_instant(until)) for token, until in secrets])


def find_stale_secrets(vault: Vault) -> dict[int, dict[str, str]]:
    """Return new columns for secrets that the vault's present key did not encrypt.

    The result maps numbers of webhooks to names of columns to values.

    Raises:
        VaultError: a secret cannot be read.
    """
    stale: dict[int, dict[str, str]] = {}
    for row in InboundWebhook.select():
        if row.secret is not None and (token := vault.refresh(row.secret)) != row.secret:
            stale.setdefault(row.id, {})["secret"] = token
        previous = load_previous_secrets(row)
        fresh = [(vault.refresh(token), until) for token, until in previous]
        if fresh != previous and (column := dump_previous_secrets(fresh)) is not None:
            stale.setdefault(row.id, {})["previous_secrets"] = column
    return stale


def replace_secrets(columns: Mapping[int, Mapping[str, str]]) -> None:
    """Store the result of `find_stale_secrets`."""
    for webhook_id, values in columns.items():
        InboundWebhook.update(values).where(InboundWebhook.id == webhook_id).execute()
