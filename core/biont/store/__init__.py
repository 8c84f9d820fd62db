"""The store: SQLite through peewee, off the event loop, with group commit."""

from biont.store.database import InstantField, Table, execute_sql, format_instant
from biont.store.dead_letters import DeadLetter
from biont.store.journal import Entry
from biont.store.schema import Tables
from biont.store.store import Store
from biont.store.transaction import Transaction

__all__ = [
    "DeadLetter",
    "Entry",
    "InstantField",
    "Store",
    "Table",
    "Tables",
    "Transaction",
    "execute_sql",
    "format_instant",
]
