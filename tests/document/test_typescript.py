"""The program of "Use TypeScript" is compiled, and run against a real workbench."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import orjson
from conftest import MakeKey, StartServer
from support.document_tools import FOLDER, run_node_tool
from support.pages import read_examples

from biont.testing import ApiClient

PAGE = "docs/how-to/use-typescript.md"


async def test_the_program_works(
    start_server: StartServer, make_key: MakeKey, tmp_path: Path
) -> None:
    folder = tmp_path / "program"
    folder.mkdir()
    server = await start_server()
    key = await make_key()
    async with ApiClient(server.url, key) as client:
        document = await client.get("/openapi.json")
    (folder / "openapi.json").write_bytes(orjson.dumps(document))
    (folder / "package.json").write_text('{"type": "module"}')
    code, output = await run_node_tool(
        "openapi-typescript", "openapi.json", "-o", "workbench.d.ts", folder=folder
    )
    assert code == 0, output
    (folder / "node_modules").symlink_to(FOLDER / "node_modules")
    for name in ("client.ts", "events.ts", "main.ts"):
        (folder / name).write_text(read_examples(PAGE, name)[0])
    arguments = ("--strict", "--module", "nodenext", "--target", "es2022", "main.ts")
    code, output = await run_node_tool("tsc", *arguments, folder=folder)
    assert code == 0, output

    node = shutil.which("node")
    assert node is not None
    process = await asyncio.create_subprocess_exec(
        node,
        "main.js",
        cwd=folder,
        env=os.environ | {"BIONT_SERVER_URL": server.url, "BIONT_KEY": key},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate()

    assert errors.decode() == ""
    assert out.decode().splitlines() == [
        "3 Cocoa",
        "2 Coffee",
        "1 Tea",
        "the request cannot be accepted #/title",
        "note_created Tea",
        "note_created Coffee",
        "note_created Cocoa",
    ]
