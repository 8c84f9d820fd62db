"""Outgoing webhooks: signed POST requests that deliver events to subscribers.

The names below are for plugins whose users filter JSON documents as webhooks filter payloads, and
that make secrets of the same form.
"""

from biont_webhooks.subscription.filter_conditions import MISSING, Path, make_finder
from biont_webhooks.subscription.payload_filter import (
    Explanation,
    Filter,
    PayloadFilter,
    compile_filter,
    dump_filter,
    load_filter,
)
from biont_webhooks.subscription.signing import generate_secret

__all__ = [
    "MISSING",
    "Explanation",
    "Filter",
    "Path",
    "PayloadFilter",
    "compile_filter",
    "dump_filter",
    "generate_secret",
    "load_filter",
    "make_finder",
]
