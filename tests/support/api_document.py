"""An API document with the parts that tests change."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]

NOTE: Document = {
    "type": "object",
    "properties": {
        "id": {"type": "integer", "format": "int32"},
        "title": {"type": "string"},
        "kind": {"enum": ["a", "b"], "type": "string"},
        "parent": {"anyOf": [{"$ref": "#/components/schemas/Note"}, {"type": "null"}]},
    },
    "required": ["id", "title", "kind"],
}
NEW_NOTE: Document = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "title": {"type": "string", "maxLength": 200},
        "kind": {"enum": ["a", "b"], "type": "string"},
        "size": {"type": "number"},
        "count": {"type": "integer", "multipleOf": 6},
        "tags": {"type": "array", "items": {"type": "string"}},
        "due": {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]},
    },
    "required": ["title"],
}
NOTE_REF, NEW_REF = "#/components/schemas/Note", "#/components/schemas/New"
DOCUMENT: Document = {
    "openapi": "3.1.0",
    "paths": {
        "/notes": {
            "parameters": [{"name": "all", "in": "query", "schema": {"type": "string"}}],
            "post": {
                "operationId": "create_note",
                "tags": ["notes"],
                "security": [{"key": []}, {"bearer": []}],
                "x-scopes": ["full", "read"],
                "parameters": [
                    {"name": "q", "in": "query", "schema": {"type": "string", "default": "x"}},
                    {"name": "X-Id", "in": "header", "schema": {"type": "string"}},
                ],
                "requestBody": {
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/New"}}
                    }
                },
                "responses": {
                    "201": {
                        "headers": {"Location": {}},
                        "content": {
                            "application/json": {"schema": {"$ref": "#/components/schemas/Note"}}
                        },
                    },
                    "422": {"content": {}},
                },
            },
        }
    },
    "webhooks": {
        "note_created": {
            "post": {
                "parameters": [
                    {"name": "X-Sign", "in": "header", "required": True, "schema": {}},
                ],
                "requestBody": {
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Note"}}
                    }
                },
            }
        }
    },
    "components": {
        "schemas": {"Note": NOTE, "New": NEW_NOTE},
        "securitySchemes": {
            "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
            "bearer": {"type": "http", "scheme": "bearer"},
        },
    },
}


def operation(document: Document) -> Document:
    found: Document = document["paths"]["/notes"]["post"]
    return found


def event(document: Document) -> Document:
    found: Document = document["webhooks"]["note_created"]["post"]
    return found


def schemes(document: Document) -> Document:
    found: Document = document["components"]["securitySchemes"]
    return found


def new(document: Document) -> Document:
    found: Document = document["components"]["schemas"]["New"]["properties"]
    return found


def note(document: Document) -> Document:
    found: Document = document["components"]["schemas"]["Note"]["properties"]
    return found
