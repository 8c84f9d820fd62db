// Palette, shortcuts and curl lines: the parts that few visits need.

import { find, findAll, make, makeCode, openDialog, request, sleep } from "./dashboard.js";

const pages = () => findAll("#nav a[href]").map((link) => ({ title: find("span", link).textContent, kind: "Page", href: link.getAttribute("href") }));

export function openPalette() {
  if (find("dialog[open]")) return;
  const list = make("ul", { id: "found", role: "listbox", "aria-label": "Found" });
  const note = make("p", { role: "status" });
  const input = make("input", { type: "text", role: "combobox", placeholder: "Search or go to…", "aria-label": "Search or go to", "aria-expanded": "true", "aria-controls": "found", "aria-autocomplete": "list", autocomplete: "off", spellcheck: "false" });
  const dialog = openDialog("Palette", input, list, note);
  dialog.classList.add("palette");
  find("h2", dialog).remove();
  input.focus();
  let chosen = 0;
  let search = new AbortController();
  const choose = (index) => {
    const options = [...list.children];
    chosen = (index + options.length) % (options.length || 1);
    options.forEach((option, place) => option.setAttribute("aria-selected", place === chosen));
    input.setAttribute("aria-activedescendant", options[chosen]?.id ?? "");
    options[chosen]?.scrollIntoView({ block: "nearest" });
  };
  const show = (items) => {
    const seen = new Map(items.filter(({ href }) => href?.startsWith("/")).map((item) => [item.href, item]));
    list.replaceChildren(...[...seen.values()].slice(0, 50).map(({ title, kind, href }, index) => make("li", { role: "option", id: `found-${index}`, "data-href": href, click: () => location.assign(href) },
      make("span", {}, title), make("small", {}, kind))));
    choose(0);
  };
  show(pages());
  input.addEventListener("input", async () => {
    search.abort();
    const { signal } = (search = new AbortController());
    const words = input.value.trim();
    const near = pages().filter(({ title }) => title.toLowerCase().includes(words.toLowerCase()));
    show(near);
    note.textContent = "";
    if (!words) return;
    await sleep(120);
    if (signal.aborted) return;
    try {
      const response = await request(`/dashboard/palette?q=${encodeURIComponent(words)}`, { signal, headers: { Accept: "application/json" } });
      if (response.ok) show([...near, ...(await response.json())]);
      note.textContent = list.children.length ? "" : `Nothing is called “${words.slice(0, 60)}”.`;
    } catch { if (!signal.aborted) note.textContent = "The workbench cannot be reached."; }
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); choose(chosen + (event.key === "ArrowDown" ? 1 : -1)); }
    if (event.key === "Enter" && list.children[chosen]) { event.preventDefault(); location.assign(list.children[chosen].dataset.href); }
  });
}

const GO = { h: "", e: "events", c: "chat", a: "approvals", s: "schedules", m: "missions", n: "notes", r: "reminders", w: "webhooks", d: "dead-letters", i: "integrations", u: "usage", k: "keys", o: "users", p: "plugins", y: "system" };

export function showHelp() {
  const lines = [["/ or Ctrl K", "Search or go to"], ["j and k", "Next and previous row"], ["c", "curl lines of this page"], ["?", "These shortcuts"]];
  for (const [letter, path] of Object.entries(GO)) {
    const link = find(`#nav a[href="/dashboard${path && `/${path}`}"] span`);
    if (link) lines.push([`g ${letter}`, link.textContent]);
  }
  openDialog("Keyboard shortcuts", make("dl", { class: "keys" }, ...lines.flatMap(([keys, text]) => [make("dt", {}, make("kbd", {}, keys)), make("dd", {}, text)])));
}

function showCurlLines() {
  const lines = new Map(findAll("form[data-curl]").map((form) => [form.dataset.curl, form.dataset.act]));
  const parts = [...lines].flatMap(([line, label]) => [make("h3", {}, label), makeCode(line)]);
  openDialog("This page by curl", ...(parts.length ? parts : [make("p", {}, "This page changes nothing.")])).classList.add("wide");
}

function moveRow(step) {
  const links = findAll("main tr[data-row]").map((row) => find("a[href]", row)).filter(Boolean);
  const row = document.activeElement.closest("tr[data-row]");
  const index = links.findIndex((link) => row?.contains(link));
  links[index < 0 ? 0 : Math.min(Math.max(index + step, 0), links.length - 1)]?.focus();
}

// Does what a key stands for; after a "g", a letter goes to a page.
export function press(key, isGo) {
  const path = `/dashboard${GO[key] && `/${GO[key]}`}`;
  if (isGo) { if (key in GO && find(`#nav a[href="${path}"]`)) location.assign(path); return; }
  ({ "/": openPalette, "?": showHelp, c: showCurlLines, j: () => moveRow(1), k: () => moveRow(-1) })[key]?.();
}
