"""Paths of filters that begin with a slash, as JSON Pointers: the keys stay the same."""

import json


def up(migrator, db):
    rows = db.execute_sql(
        """SELECT id, filter FROM webhooks WHERE instr(filter, '"path":"/')"""
    ).fetchall()
    for webhook_id, text in rows:
        node = json.loads(text)
        _convert(node)
        db.execute_sql(
            "UPDATE webhooks SET filter = ? WHERE id = ?",
            (json.dumps(node, ensure_ascii=False, separators=(",", ":")), webhook_id),
        )


def _convert(node):
    if isinstance(node, list):
        for part in node:
            _convert(part)
    elif isinstance(node, dict):
        path = node.get("path")
        if isinstance(path, str) and path.startswith("/"):
            keys = path.split(".")
            node["path"] = "".join(f"/{key.replace('~', '~0').replace('/', '~1')}" for key in keys)
        for name in ("and", "or", "not"):
            _convert(node.get(name))
