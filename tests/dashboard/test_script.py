"""The script of the dashboard, in a browser, against a server that plays the workbench."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from dashboard.gallery import CHROMIUM, PLUGIN, make_environment, make_values

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

api = pytest.importorskip("playwright.sync_api")

if not Path(CHROMIUM).exists():
    pytest.skip("there is no browser", allow_module_level=True)

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PAGE = """
{% extends "base.html" %}
{% import "components.html" as ui with context %}
{% block content %}
{% call ui.head("List", state=state) %}
  {{ ui.act("POST", "/api/v1/pause", "Pause", done="Paused.") }}
  {{ ui.act("DELETE", "/api/v1/notes/1", "Delete", tone="fail", confirm="All is lost.",
            next="/next", done="Deleted.") }}
  {{ ui.act("POST", "/api/v1/keys/create", "Generate", shown="api_key", sample="curl -H {}") }}
{% endcall %}
{% call ui.panel("Count", "count", live="note_*") %}<b>{{ rows|length }} notes</b>{% endcall %}
{% call ui.table(["Name", ("Size", "num")], "notes", "Notes", live="note_created") %}
{% for row in rows %}<tr data-row="{{ row }}"><td><a href="/notes/{{ row }}">Note {{ row }}</a>
</td><td>{{ state }}</td></tr>{% endfor %}
{% endcall %}
{% call ui.panel("New", "new", live="note_*") %}
{% call ui.act("POST", "/api/v1/notes", "Create", done="Created.") %}
{{ ui.field("Title", "body.title") }}{{ ui.field("Tags", "body.tags:words:optional") }}
{% endcall %}{% endcall %}
{% call ui.panel("Chat", "chat") %}<div class="log" data-chat-log></div>
{{ ui.chat_form() }}{% endcall %}
{{ ui.code("<b>text</b>") }}
{% endblock %}
"""


@dataclass
class Workbench:
    """State of the played workbench, and the requests that it got."""

    rows: list[int] = field(default_factory=lambda: [3, 2, 1])
    state: str = "active"
    answer: dict[str, object] = field(default_factory=dict)
    status: int = 200
    acts: list[dict[str, str]] = field(default_factory=list)
    chats: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    streams: int = 0
    gate: Event = field(default_factory=Event)
    stopped: Event = field(default_factory=Event)
    address: str = ""

    def render(self) -> str:
        """Return the page as the workbench shows the present state."""
        template = make_environment().from_string(PAGE)
        return template.render(make_values(), rows=self.rows, state=self.state)


def make_handler(  # noqa: C901  # the methods of one handler
    workbench: Workbench,
) -> type[BaseHTTPRequestHandler]:
    """Return the handler of the requests of a browser."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing about requests."""

        def answer(self, content: bytes, kind: str = "text/html; charset=utf-8") -> None:
            self.send_response(workbench.status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Security-Policy", POLICY)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path.startswith("/dashboard/assets/"):
                file = PLUGIN / "assets" / path.rpartition("/")[2]
                kind = "text/css" if file.suffix == ".css" else "text/javascript"
                self.answer(file.read_bytes(), kind)
            elif path == "/dashboard/api/v1/events/stream" and workbench.status == 200:
                self.stream()
            elif path == "/dashboard/palette":
                words = parse_qs(urlsplit(self.path).query)["q"][0]
                found = [{"title": f"<i>{words}</i>", "kind": "Note", "href": "/notes/7"}]
                self.answer(json.dumps(found).encode(), "application/json")
            else:
                self.answer(workbench.render().encode())

        def stream(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            workbench.streams += 1
            sent = len(workbench.events)
            while not workbench.stopped.wait(0.02):
                for name in workbench.events[sent:]:
                    self.wfile.write(f"id: 1\nevent: {name}\ndata: {{}}\n\n".encode())
                sent = len(workbench.events)

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"])).decode()
            if self.path == "/dashboard/api/v1/chat":
                workbench.chats.append((self.headers["X-CSRF-Token"], json.loads(content)))
                self.chat()
                return
            fields = parse_qs(content, keep_blank_values=True)
            workbench.acts.append({name: values[-1] for name, values in fields.items()})
            status = {"ok": True, "status": 200} | workbench.answer
            self.answer(json.dumps(status).encode(), "application/json")

        def chat(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for data in ({"text": "<b>Par"}, {"text": "is</b>"}):
                self.wfile.write(f"event: token\ndata: {json.dumps(data)}\n\n".encode())
            workbench.gate.wait(20)
            done = {"conversation_id": 7, "message_id": 1, "waiting": []}
            self.wfile.write(f"event: done\ndata: {json.dumps(done)}\n\n".encode())

    return Handler


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def workbench() -> Iterator[Workbench]:
    workbench = Workbench()
    server = ThreadingHTTPServer(("127.0.0.1", 0), make_handler(workbench))
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # browsers hang up
    Thread(target=server.serve_forever, daemon=True).start()
    workbench.address = f"http://127.0.0.1:{server.server_port}"
    yield workbench
    workbench.stopped.set()
    workbench.gate.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def page(browser: Browser, workbench: Workbench) -> Iterator[Page]:
    context = browser.new_context()
    context.set_default_timeout(20_000)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if "Policy" in line.text else None)
    page.goto(f"{workbench.address}/list")
    wait_until(lambda: workbench.streams == 1)
    yield page
    context.close()
    assert faults == []


def wait_until(is_true: object) -> None:
    """Wait for a condition of the played workbench."""
    assert callable(is_true)
    end = time.monotonic() + 20
    while not is_true():
        assert time.monotonic() < end
        time.sleep(0.02)


def see(locator: Locator, text: str) -> None:
    api.expect(locator).to_contain_text(text, timeout=20_000)


def test_new_rows_are_counted_and_shown_when_clicked(page: Page, workbench: Workbench) -> None:
    workbench.rows = [5, 4, 3, 2, 1]
    workbench.events.append("note_created")
    see(page.locator("#count"), "5 notes")
    see(page.locator("#notes .news"), "2 new")
    assert page.locator("#notes tbody tr").count() == 3
    page.locator("#notes .news button").click()
    assert page.locator("#notes tbody tr").count() == 5
    assert page.locator("#notes .news").inner_text() == ""


def test_known_rows_change_in_place(page: Page, workbench: Workbench) -> None:
    workbench.state = "paused"
    workbench.events.append("note_created")
    see(page.locator("#notes tr[data-row='3']"), "paused")
    assert page.locator("#notes .news").inner_text() == ""


def test_rows_that_have_left_the_list_are_marked(page: Page, workbench: Workbench) -> None:
    workbench.rows = [4, 3, 1]
    workbench.events.append("note_created")
    see(page.locator("#notes .news"), "1 new")
    api.expect(page.locator("#notes tr.gone")).to_have_text(re.compile("Note 2"))
    workbench.rows = []
    workbench.events.append("note_created")
    see(page.locator("#notes"), "Nothing here yet")


def test_events_change_only_the_parts_that_name_them(page: Page, workbench: Workbench) -> None:
    workbench.rows = [4, 3, 2, 1]
    workbench.events.append("note_created")
    see(page.locator("#notes .news"), "1 new")
    workbench.rows = [5, 4, 3, 2, 1]
    workbench.events.append("note_changed")
    see(page.locator("#count"), "5 notes")
    assert page.locator("#notes .news").inner_text() == "1 new"


def test_text_that_is_being_written_stays(page: Page, workbench: Workbench) -> None:
    page.get_by_label("Title").fill("Half a sent")
    workbench.rows = [4, 3, 2, 1]
    workbench.events.append("note_created")
    see(page.locator("#count"), "4 notes")
    assert page.get_by_label("Title").input_value() == "Half a sent"


def test_act_shows_the_new_state_without_a_new_page(page: Page, workbench: Workbench) -> None:
    page.evaluate("window.isSame = true")
    workbench.state = "paused"
    workbench.answer = {"done": "Paused."}
    page.get_by_role("button", name="Pause").click()
    see(page.locator(".toasts"), "Paused.")
    see(page.locator(".head .badge"), "paused")
    assert page.evaluate("window.isSame")
    assert page.evaluate("document.activeElement.textContent") == "Pause"
    assert workbench.acts[0]["path"] == "/api/v1/pause"
    assert workbench.acts[0]["csrf"] == "token"


def test_each_act_has_a_key_of_its_own(page: Page, workbench: Workbench) -> None:
    workbench.answer = {"ok": False, "status": 409, "title": "Conflict", "detail": "Busy."}
    for number in (1, 2):
        page.get_by_role("button", name="Pause").click()
        wait_until(lambda number=number: len(workbench.acts) == number)
        see(page.locator(".toasts p").nth(number - 1), "Busy.")
    assert len({act["idempotency_key"] for act in workbench.acts}) == 2


def test_dangerous_act_asks_first(page: Page, workbench: Workbench) -> None:
    workbench.answer = {"next": "/next", "done": "Deleted."}
    page.get_by_role("button", name="Delete").click()
    see(page.get_by_role("dialog"), "All is lost.")
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert workbench.acts == []
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.wait_for_url("**/next")
    see(page.locator(".toasts"), "Deleted.")


def test_secret_is_shown_until_it_is_kept(page: Page, workbench: Workbench) -> None:
    workbench.answer = {"answer": {"api_key": "asb_<b>secret"}}
    page.get_by_role("button", name="Generate").click()
    see(page.get_by_role("dialog"), "asb_<b>secret")
    see(page.get_by_role("dialog"), "curl -H asb_<b>secret")
    page.keyboard.press("Escape")
    see(page.get_by_role("dialog"), "asb_<b>secret")
    page.get_by_role("button", name="I have kept it").click()
    api.expect(page.get_by_role("dialog")).to_have_count(0)


def test_problems_stand_at_their_fields(page: Page, workbench: Workbench) -> None:
    workbench.answer = {
        "ok": False,
        "status": 422,
        "title": "Invalid input",
        "errors": [
            {"pointer": "#/tags/0", "detail": "too <long>"},
            {"pointer": "#/colour", "detail": "is unknown"},
        ],
    }
    page.get_by_role("button", name="Create").click()
    see(page.locator("form.fields [role=alert]"), "Invalid input")
    see(page.locator("form.fields [role=alert]"), "colour: is unknown")
    tags = page.get_by_label("Tags")
    api.expect(tags).to_be_focused()
    api.expect(tags).to_have_attribute("aria-invalid", "true")
    api.expect(tags).to_have_accessible_description("too <long>")
    workbench.answer = {"done": "Created."}
    page.get_by_role("button", name="Create").click()
    see(page.locator(".toasts"), "Created.")
    api.expect(page.locator("[role=alert]")).to_have_count(0)


def test_problem_stays_when_another_act_renews_the_page(page: Page, workbench: Workbench) -> None:
    workbench.answer = {"ok": False, "status": 422, "title": "Invalid input"}
    page.get_by_role("button", name="Create").click()
    see(page.locator("form.fields [role=alert]"), "Invalid input")
    workbench.answer = {"done": "Paused."}
    workbench.rows = [4, 3, 2, 1]
    page.get_by_role("button", name="Pause").click()
    see(page.locator("#count"), "4 notes")
    see(page.locator("form.fields [role=alert]"), "Invalid input")


def test_ended_session_is_said(page: Page, workbench: Workbench) -> None:
    workbench.status = 401
    page.get_by_role("button", name="Pause").click()
    link = page.get_by_role("dialog").get_by_role("link", name="Sign in again")
    api.expect(link).to_have_attribute("href", "/dashboard/sign-in?next=%2Flist")


def test_palette_finds_and_goes(page: Page) -> None:
    page.keyboard.press("/")
    palette = page.get_by_role("combobox", name="Search or go to")
    api.expect(palette).to_be_focused()
    palette.fill("seven")
    option = page.get_by_role("option", name="<i>seven</i>")
    api.expect(option).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    api.expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("Control+k")
    palette.fill("seven")
    api.expect(option).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_url("**/notes/7")


def test_keys_go_to_pages_and_rows(page: Page) -> None:
    page.keyboard.press("j")
    page.keyboard.press("j")
    api.expect(page.get_by_role("link", name="Note 2")).to_be_focused()
    page.keyboard.press("?")
    see(page.get_by_role("dialog"), "g e")
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    see(page.get_by_role("dialog"), "curl -X POST")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("e")
    page.wait_for_url("**/dashboard/events")


def test_answer_of_the_chat_is_streamed_as_text(page: Page, workbench: Workbench) -> None:
    page.get_by_label("Message").fill("Capital?")
    page.keyboard.press("Enter")
    see(page.locator("[data-chat-log]"), "<b>Paris</b>")
    api.expect(page.get_by_role("button", name="Stop")).to_be_visible()
    workbench.gate.set()
    api.expect(page.get_by_role("button", name="Stop")).to_be_hidden()
    assert workbench.chats == [("token", {"message": "Capital?", "stream": True})]
    page.get_by_label("Message").fill("And of Spain?")
    page.get_by_role("button", name="Send").click()
    wait_until(lambda: len(workbench.chats) == 2)
    assert workbench.chats[1][1]["conversation_id"] == 7


def test_theme_is_kept(page: Page) -> None:
    switch = page.get_by_role("button", name="Theme: automatic")
    switch.click()
    page.get_by_role("button", name="Theme: light").click()
    page.reload()
    api.expect(page.get_by_role("button", name="Theme: dark")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).colorScheme") == "dark"


def test_text_is_copied(page: Page) -> None:
    button = page.locator(".code button").last
    button.click()
    see(button, "Copied")


def test_stream_ends_on_a_hidden_tab_and_begins_again(page: Page, workbench: Workbench) -> None:
    set_hidden = """hidden => {
        Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page.evaluate(set_hidden, True)
    workbench.rows = [4, 3, 2, 1]
    workbench.events.append("note_created")
    page.evaluate(set_hidden, False)
    wait_until(lambda: workbench.streams == 2)
    see(page.locator("#count"), "4 notes")
    see(page.locator("#notes .news"), "1 new")
