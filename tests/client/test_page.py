"""The examples of "Use the Python client" are run against a real workbench."""

from __future__ import annotations

import asyncio

import pytest
from conftest import MakeKey, StartServer
from support.pages import read_examples

from biont.client import Client
from biont.testing import ModelServer, WebhookReceiver

PAGE = "docs/how-to/use-the-python-client.md"


async def test_the_examples_work(
    start_server: StartServer,
    make_key: MakeKey,
    scripted: ModelServer,
    receiver: WebhookReceiver,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = await start_server(**scripted.sections)
    key = await make_key()
    monkeypatch.setenv("BIONT_SERVER_URL", server.url)
    monkeypatch.setenv("BIONT_KEY", key)
    names: dict[str, object] = {"url": server.url, "key": key}

    def run(name: str) -> str:
        for code in read_examples(PAGE, name):
            exec(compile(code, name, "exec"), names)  # noqa: S102  # the page's own code
        return capsys.readouterr().out

    def run_all() -> None:
        assert run("first") == "['kitchen', 'green']\n"
        with Client(server.url, key) as client:
            names["client"] = client
            assert run("lists").splitlines()[0] == "Tea"
            assert run("errors").splitlines()[0].startswith("422 ['#/title: ")
            run("retries")
            assert "custom_sale {'cents': 1200}" in run("follow")
            assert "done" in run("stream")
            assert "If-Match" in run("conditional")
            run("async")
            run("verify")
            hook = client.webhooks.register(url=receiver.url, event_types=["custom_*"])
            names["secret"] = hook["secret"]
            client.events.emit(event_type="custom_sale", payload={"cents": 7})

    await asyncio.to_thread(run_all)
    main, receive = names["main"], names["receive"]
    assert callable(main)
    assert callable(receive)
    await main()
    assert capsys.readouterr().out == "True\n"
    (delivery,) = await receiver.wait_for(1)
    assert receive(dict(delivery.headers), delivery.body) == 200
    assert receive(dict(delivery.headers), delivery.body + b" ") == 401
