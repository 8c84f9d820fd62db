"""Built-in kinds of integrations."""

from __future__ import annotations

from collections.abc import Sequence

from biont import IntegrationKind
from biont_integrations.kinds.discord import DISCORD
from biont_integrations.kinds.generic_json import JSON
from biont_integrations.kinds.ntfy import NTFY
from biont_integrations.kinds.slack import SLACK

KINDS: Sequence[IntegrationKind] = (JSON, SLACK, DISCORD, NTFY)
