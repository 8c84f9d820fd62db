"""Browser without a script: cookies, pages and forms of the dashboard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL


@dataclass(frozen=True)
class Form:
    """Form of a page: where it goes, and the fields with their values.

    `button` is the text of its button.
    """

    action: str
    method: str
    fields: dict[str, str]
    button: str


@dataclass(frozen=True)
class Screen:
    """Page that a visitor sees."""

    status: int
    path: str
    text: str
    headers: Mapping[str, str]

    @property
    def forms(self) -> list[Form]:
        """The forms of the page."""
        parser = _FormParser()
        parser.feed(self.text)
        return parser.forms

    def find_form(self, button: str) -> Form:
        """Return the first form whose button has this text."""
        return next(form for form in self.forms if form.button == button)


class _FormParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._fields: dict[str, str] | None = None
        self._place = ("", "get")
        self._button: list[str] | None = None
        self._label = ""
        self._name = ""
        self._is_area = False
        self._has_option = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._place = (given.get("action") or "", given.get("method") or "get")
            self._fields, self._label = {}, ""
        elif self._fields is not None and tag in ("input", "textarea", "select"):
            is_off = given.get("type") in ("checkbox", "radio") and "checked" not in given
            if given.get("name") and not is_off:
                self._fields[str(given["name"])] = given.get("value") or ""
            self._name, self._is_area = str(given.get("name") or ""), tag == "textarea"
            self._has_option = False
        elif tag == "datalist":
            self._name = ""  # Suggestions are no choice.
        elif tag == "option" and self._name in (self._fields or {}):
            # Without a chosen option, a browser sends the first.
            assert self._fields is not None
            if "selected" in given or not self._has_option:
                self._fields[self._name] = given.get("value") or ""
            self._has_option = True
        elif tag == "button" and given.get("type") != "button" and self._fields is not None:
            self._button = []

    def handle_data(self, data: str) -> None:
        if self._button is not None:
            self._button.append(data)
        elif self._is_area and self._fields is not None:
            # A browser leaves out the first line break.
            self._fields[self._name] += data if self._fields[self._name] else data.lstrip("\n")

    def handle_endtag(self, tag: str) -> None:
        self._is_area = self._is_area and tag != "textarea"
        if tag == "button" and self._button is not None:
            self._label, self._button = "".join(self._button).strip(), None
        elif tag == "form" and self._fields is not None:
            self.forms.append(Form(*self._place, self._fields, self._label))
            self._fields = None


class Visitor:
    """Visitor of a workbench; open with ``async with``. `http` is the session of the browser.

    Args:
        url: the URL of the workbench, without a path.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    async def __aenter__(self) -> Self:
        jar = aiohttp.CookieJar(unsafe=True)
        # Any number of connections, because each open dashboard has a stream.
        connector = aiohttp.TCPConnector(limit=0)
        self.http = aiohttp.ClientSession(connector=connector, cookie_jar=jar)  # noqa: TID251  # connects to the workbench under test
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.http.close()

    @property
    def session_key(self) -> str | None:
        """The content of the session's cookie."""
        found = self.http.cookie_jar.filter_cookies(URL(self.url))
        return found["biont_session"].value if "biont_session" in found else None

    async def open(self, path: str, **headers: str) -> Screen:
        """Open a page, and follow redirections."""
        async with self.http.get(self.url + path, headers=headers) as response:
            return await _see(response)

    async def send(
        self,
        path: str,
        fields: Mapping[str, str],
        *,
        headers: Mapping[str, str] | None = None,
        method: str = "POST",
    ) -> Screen:
        """Send a form, and follow redirections."""
        async with self.http.request(
            method, self.url + path, data=dict(fields), headers=headers
        ) as response:
            return await _see(response)

    async def press(self, screen: Screen, button: str, **changes: str) -> Screen:
        """Fill in the form of a button, and press the button."""
        form = screen.find_form(button)
        assert form.method == "post"
        return await self.send(form.action or screen.path, form.fields | changes)

    async def sign_in(self, key: str) -> Screen:
        """Sign in with an API key."""
        return await self.send("/dashboard/sign-in", {"key": key})


async def _see(response: aiohttp.ClientResponse) -> Screen:
    return Screen(response.status, response.url.path_qs, await response.text(), response.headers)
