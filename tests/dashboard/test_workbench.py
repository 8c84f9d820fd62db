"""Pages of the workbench itself: log, backups."""

from __future__ import annotations

import logging

from dashboard.conftest import Visit
from support.visitor import Visitor

from biont import Scope, Workbench
from biont.http.system import LOG_TAIL
from biont.testing import ApiClient, rows_of


async def test_log_is_read_from_a_level_on(
    visit: Visit, visitor: Visitor, workbench: Workbench
) -> None:
    tail = workbench.get(LOG_TAIL)
    tail.setFormatter(logging.Formatter('{"event": "%(message)s", "request_id": "r<1>"}'))
    for level, text in ((20, "a calm line"), (30, "a <b>warning</b>"), (40, "an error")):
        tail.handle(logging.makeLogRecord({"levelno": level, "msg": text}))
    page = await visitor.open("/dashboard/system/log?level=warning")
    assert "a calm line" not in page.text
    assert "a &lt;b&gt;warning&lt;/b&gt;" in page.text
    assert page.text.index("an error") < page.text.index("warning&lt;/b")
    assert "r&lt;1&gt;" in page.text
    reader = await visit("ada", Scope.READ)
    assert "a calm line" in (await reader.open("/dashboard/system/log?level=nonsense")).text
    assert (await (await visit("bob")).open("/dashboard/system/log")).status == 403


async def test_button_makes_a_backup(visit: Visit, visitor: Visitor, client: ApiClient) -> None:
    page = await visitor.open("/dashboard/system")
    assert "/api/v1/system/backups" in page.text
    page = await visitor.press(page, "Back up now")
    (made,) = rows_of(await client.get("/system/backups"))
    assert str(made["name"]) in page.text
    seen = await (await visit("ada", Scope.READ)).open("/dashboard/system")
    assert str(made["name"]) in seen.text
    assert "Back up now" not in [form.button for form in seen.forms]
    assert str(made["name"]) not in (await (await visit("bob")).open("/dashboard/system")).text
