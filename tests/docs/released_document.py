"""API document of the last release; run this file at a release to write the document anew."""

from __future__ import annotations

import asyncio

import orjson
from client.generate import read_document
from support.source import ROOT

RELEASED = ROOT / "docs" / "reference" / "openapi.json"


def main() -> None:
    """Write the document of the present code."""
    document = asyncio.run(read_document())
    RELEASED.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")


if __name__ == "__main__":
    main()
