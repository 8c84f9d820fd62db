"""Acts: forms of the pages that call the REST API.

One route takes the forms of all pages. A form names the call by the hidden fields `method` and
`path`, and the body by fields that `biont_dashboard.form_fields` explains. The same data makes the
``curl`` line beside the form, so a page can do nothing that a client cannot.

Without the script, a success leads to `next` (303), and an error is a page. With the script, both
are JSON.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import orjson
from aiohttp import web
from pydantic import JsonValue

from biont import Request
from biont.exceptions import InputProblem, InvalidInput
from biont.http import LocalAnswer, RateClass, read_form
from biont_dashboard.dialect import make_api, wants_json
from biont_dashboard.form_fields import read_fields
from biont_dashboard.local_path import check_local_path
from biont_dashboard.page import DashboardPage, open_page, set_flash
from biont_dashboard.sessions import CSRF_HEADER, check_csrf_token
from biont_dashboard.visit import Object

api = make_api()

_METHODS = ("POST", "PATCH", "DELETE")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class ActForm:
    """Call of the API that a form asks for.

    Attributes:
        method: the method.
        path: the path.
        body: the JSON body; None for none.
        query: the query parameters.
        headers: the headers: an idempotency key, a condition.
        next: the page to show after a success; ``{name}`` stands for a field of the answer.
        done: the sentence to show there.
        shown: the fields of the answer that are shown once.
        hint: a sentence beside the shown fields; empty for none.
    """

    method: str
    path: str
    body: JsonValue
    query: Mapping[str, str]
    headers: Mapping[str, str]
    next: str
    done: str
    shown: Sequence[str]
    hint: str


@api.post("/dashboard/act", rate_class=RateClass.READ)
async def do_act(request: Request) -> web.Response:
    """Call the API as a form asks, and return a page or a redirection."""
    http = request.http
    fields = await read_form(http)
    given = dict(fields)
    check_csrf_token(request, given.get("csrf") or http.headers.get(CSRF_HEADER))
    form = _read_form(given, fields)
    page = await open_page(request)
    answer = await page.call(
        form.method, form.path, query=form.query, body=form.body, headers=form.headers
    )
    if wants_json(http):
        return _answer_script(form, answer)
    if not answer.is_ok:
        problem = answer.read_json()
        members = problem if isinstance(problem, dict) else {}
        return await page.render("refusal.html", status=answer.status, problem=members)
    if form.shown:
        return await _show_result(page, form, answer)
    response = web.Response(status=303, headers={"Location": _find_next(form, answer)})
    set_flash(response, form.done)
    return response


def _read_form(given: Mapping[str, str], fields: Sequence[tuple[str, str]]) -> ActForm:
    method, path = given.get("method", ""), given.get("path", "")
    if method not in _METHODS or not path.startswith("/api/v1/"):
        raise InvalidInput(InputProblem("must be a change by the REST API", "path"))
    body, query = read_fields(fields)
    if body.get("stream"):
        raise InvalidInput(InputProblem("must be false: a page shows a whole answer", "#/stream"))
    headers = {}
    if method == "POST" and given.get("idempotency_key"):
        # A second click on the button acts once.
        headers["Idempotency-Key"] = given["idempotency_key"]
    if given.get("if_match"):
        headers["If-Match"] = given["if_match"]
    has_body = bool(body) or method == "PATCH" or "empty_body" in given
    return ActForm(
        method,
        path,
        body if has_body else None,
        {name: str(value) for name, value in query.items()},
        headers,
        check_local_path(given.get("next")),
        given.get("done", ""),
        [name for name in given.get("shown", "").split(",") if name],
        given.get("hint", ""),
    )


def _answer_script(form: ActForm, answer: LocalAnswer) -> web.Response:
    found = answer.read_json()
    document: dict[str, JsonValue] = {"ok": answer.is_ok, "status": answer.status}
    if answer.is_ok:
        document |= {
            "location": answer.headers.get("Location"),
            "answer": found,
            "next": _find_next(form, answer),
            "done": form.done,
        }
    elif isinstance(found, dict):
        document |= {name: found.get(name) for name in ("title", "detail", "errors")}
    # 200 also for a refusal: the script reads `ok`, and a browser logs other statuses as errors.
    return web.Response(body=orjson.dumps(document), content_type="application/json")


async def _show_result(page: DashboardPage, form: ActForm, answer: LocalAnswer) -> web.Response:
    found = _as_object(answer)
    return await page.render(
        "result.html",
        values=[
            (name.replace("_", " "), str(found[name]))
            for name in form.shown
            if found.get(name) is not None
        ],
        hint=form.hint,
        next=_find_next(form, answer),
        done=form.done,
    )


def _find_next(form: ActForm, answer: LocalAnswer) -> str:
    found = _as_object(answer)
    path = _PLACEHOLDER.sub(lambda name: quote(str(found.get(name[1], "")), safe=""), form.next)
    return check_local_path(path)


def _as_object(answer: LocalAnswer) -> Object:
    found = answer.read_json()
    return found if isinstance(found, dict) else {}
