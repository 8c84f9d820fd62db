// Behaviour of the dashboard in the browser. Every page works without this script.
// Markup comes only from pages of this origin (DOMParser); all other text is set as textContent.

export const API = "/dashboard/api/v1";
export const find = (selector, root = document) => root.querySelector(selector);
export const findAll = (selector, root = document) => [...root.querySelectorAll(selector)];
export const csrf = () => find('meta[name="csrf"]')?.content ?? "";
export const sleep = (ms) => new Promise((resume) => setTimeout(resume, ms));

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== false && value !== null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

let ahead = 0; // Milliseconds that the clock of the workbench is ahead of the browser's.

// Fetches; a session that has ended is said once, in a dialog.
export async function request(url, options = {}) {
  const response = await fetch(url, { cache: "no-store", ...options });
  const now = Date.parse(response.headers.get("Date"));
  if (now) ahead = now - Date.now();
  if (response.status === 401) showEnd();
  return response;
}

let hasEnded = false;
function showEnd() {
  if (hasEnded) return;
  hasEnded = true;
  const next = encodeURIComponent(location.pathname + location.search);
  openDialog("Your session has ended", make("p", {}, "Sign in again to go on. What you see may be out of date."),
    make("footer", {}, make("a", { class: "button primary", href: `/dashboard/sign-in?next=${next}` }, "Sign in again")));
}

// ---- Dialogs, toasts, copying ----

export function openDialog(title, ...children) {
  const opener = document.activeElement;
  const dialog = make("dialog", { "aria-label": title }, make("h2", {}, title), ...children);
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (opener?.isConnected) opener.focus();
  });
  dialog.addEventListener("click", (event) => event.target === dialog && !dialog.dataset.keep && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

function confirmAct(form) {
  return new Promise((decide) => {
    const label = form.dataset.act;
    const look = form.dataset.tone === "fail" ? "danger" : "primary";
    const choose = (isSure) => () => { decide(isSure); dialog.close(); };
    const dialog = openDialog(`${label}?`, make("p", {}, form.dataset.confirm), showCurl(form.dataset.curl), make("footer", {},
      make("button", { type: "button", click: choose(false), autofocus: true }, "Cancel"),
      make("button", { type: "button", class: look, click: choose(true) }, label)));
    dialog.addEventListener("close", () => decide(false));
  });
}

const showCurl = (line) => make("details", { class: "curl" }, make("summary", {}, "curl"), makeCode(line));

export function makeCode(text) {
  const id = `c${makeKey()}`;
  return make("div", { class: "code" }, make("pre", { id, tabindex: 0, role: "group", "aria-label": "Text to copy" }, text),
    make("button", { type: "button", "data-copy": id }, "Copy"));
}

// secrets: [[name, value]], mostly of one secret alone.
function showSecrets(secrets, sample, hint) {
  return new Promise((resume) => {
    const isOne = secrets.length === 1;
    const dialog = openDialog("Shown once", make("p", { class: "muted" }, `Keep ${isOne ? "this text" : "these texts"} now. ${isOne ? "It" : "They"} cannot be shown again.`),
      ...secrets.flatMap(([name, value]) => [...(isOne ? [] : [make("p", {}, name.replaceAll("_", " "))]), makeCode(value)]),
      ...(hint ? [make("p", {}, hint)] : []), ...(sample ? [make("p", {}, "Try it:"), makeCode(sample.replaceAll("{}", secrets[0][1]))] : []),
      make("footer", {}, make("button", { type: "button", class: "primary", click: () => dialog.close() }, "I have kept it")));
    dialog.classList.add("wide");
    dialog.dataset.keep = "true"; // A slip of a key or a click must not lose the secret.
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    dialog.addEventListener("close", resume);
  });
}

export function toast(text, seconds = 5) {
  const line = make("p", {}, text);
  find(".toasts")?.append(line);
  setTimeout(() => line.remove(), seconds * 1000);
}

async function copy(button) {
  const text = document.getElementById(button.dataset.copy)?.textContent ?? "";
  try {
    await navigator.clipboard.writeText(text); // Only on HTTPS and on this machine.
  } catch {
    const area = make("textarea", { class: "hide" });
    area.value = text;
    button.after(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
}

// randomUUID exists only in secure contexts, and a workbench may be reached by plain HTTP.
const makeKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

// ---- Live parts ----
// The event stream marks parts as changed; marked parts are cut out of a fresh copy of the page.

const changed = new Set();
let isWaiting = false;

const livePatterns = (part) => part.dataset.live.split(",").map((text) => text.trim());
const matches = (pattern, type) => pattern === type || (pattern.endsWith("*") && type.startsWith(pattern.slice(0, -1)));

export function markChanged(isChanged) {
  for (const part of findAll("[data-live][id]")) if (isChanged(livePatterns(part))) changed.add(part.id);
  if (changed.size) void refreshSoon();
}

async function refreshSoon() {
  if (isWaiting) return;
  isWaiting = true;
  await sleep(300);
  const start = performance.now();
  await refresh().catch(() => showStatus("Not up to date"));
  await sleep(performance.now() - start); // A slow workbench is not asked more often than half of the time.
  isWaiting = false;
  if (changed.size && !document.hidden && !findAll("[data-live][id]").some((part) => changed.has(part.id) && isInUse(part))) void refreshSoon();
}

async function fetchPage() {
  const response = await request(location.href, { headers: { Accept: "text/html", "X-Live-Part": "1" } });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

async function refresh() {
  if (document.hidden || hasEnded) return;
  const ids = [...changed];
  changed.clear(); // What changes from now on may be missing in the answer.
  const page = await fetchPage().catch((error) => { for (const id of ids) changed.add(id); throw error; });
  for (const id of ids) {
    const part = document.getElementById(id);
    const fresh = page.getElementById(id);
    if (part && isInUse(part)) changed.add(id); // Stays marked, until the focus leaves.
    else if (part && fresh) update(part, fresh);
  }
}

// Parts in which somebody writes or reads a problem, or something is under way, are left alone.
function isInUse(part) {
  const active = document.activeElement;
  const writes = part.contains(active) && active.matches("textarea, select, input:not([type=hidden])");
  return writes || find('[aria-busy="true"], [data-made]', part) !== null || findAll("input, textarea", part).some(isEdited);
}
const isEdited = (input) => input.matches("input:not([type=hidden]), textarea") && (input.type === "checkbox" ? input.checked !== input.defaultChecked : input.value !== input.defaultValue);

function update(part, fresh) {
  if (part.matches("[data-live-list]")) { updateList(part, fresh); return; }
  const active = document.activeElement;
  const lists = findAll("[data-live-list]", part).flatMap((list) => {
    const twin = fresh.querySelector(`#${CSS.escape(list.id)}`);
    if (!twin) return [];
    const copyOfTwin = twin.cloneNode(true);
    twin.replaceWith(list);
    return [[list, copyOfTwin]];
  });
  swap(part, fresh);
  if (active.isConnected) active.focus({ preventScroll: true }); // Lists that moved along have lost the focus.
  for (const [list, twin] of lists) updateList(list, twin);
}

function swap(part, fresh) {
  const keyOf = (element) => [element.tagName, element.name, element.getAttribute("href"), element.textContent.trim()].join("|");
  const active = part.contains(document.activeElement) ? document.activeElement : null;
  const key = active && keyOf(active);
  const place = active && findAll(active.tagName, part).filter((other) => keyOf(other) === key).indexOf(active);
  const open = new Set(findAll("details[open] > summary", part).map(keyOf));
  const offsets = findAll(".scroll, pre, .graph", part).map((box) => [box.scrollLeft, box.scrollTop]);
  part.replaceWith(document.adoptNode(fresh));
  for (const summary of findAll("details > summary", fresh)) if (open.has(keyOf(summary))) summary.parentElement.open = true;
  findAll(".scroll, pre, .graph", fresh).forEach((box, index) => offsets[index] && box.scrollTo(...offsets[index]));
  if (active) findAll(active.tagName, fresh).filter((other) => keyOf(other) === key)[place]?.focus({ preventScroll: true });
  prepare(fresh);
}

// A list does not move under its reader: known rows change in place, new rows are counted.
function updateList(list, fresh) {
  const rows = new Map(findAll("[data-row]", list).map((row) => [row.dataset.row, row]));
  const found = findAll("[data-row]", fresh);
  if (!rows.size || !found.length) { swap(list, fresh); return; }
  // Rows below the last known row were on the next page: they are not new.
  const last = found.findLastIndex((row) => rows.has(row.dataset.row));
  const news = (last < 0 ? found : found.slice(0, last)).filter((row) => !rows.has(row.dataset.row));
  const box = find(".news", list);
  if (news.length) {
    const show = () => {
      const names = new Set(news.map((row) => row.dataset.row));
      swap(list, fresh);
      for (const row of findAll("[data-row]", fresh)) if (names.has(row.dataset.row)) row.classList.add("fresh");
      find("a[href]", fresh)?.focus({ preventScroll: true });
    };
    box.replaceChildren(make("button", { type: "button", click: show }, `${news.length}${last < 0 ? "+" : ""} new`));
  } else box.replaceChildren();
  // Rows above a row that is still there have left the list; rows at the end may be on the next page.
  const stays = new Set(found.map((row) => row.dataset.row));
  const kept = [...rows.keys()].findLastIndex((name) => stays.has(name));
  [...rows].forEach(([name, row], index) => row.classList.toggle("gone", index < kept && !stays.has(name)));
  for (const row of found) {
    const known = rows.get(row.dataset.row);
    if (known && known.textContent !== row.textContent && !known.contains(document.activeElement)) {
      const twin = row.cloneNode(true);
      known.replaceWith(twin);
      prepare(twin);
    }
  }
}

// ---- Event stream ----

let stream = null;
let notifications = null; // The module, if the user may have switched notifications on.
const mayFollow = () => !hasEnded && (!document.hidden || notifications?.isOn());
const showStatus = (text) => { const status = find("[data-status]"); if (status && status.textContent !== text) status.textContent = text; };

export async function* readEvents(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).replaceAll("\r\n", "\n").split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const event = { type: "message", data: "", id: "" };
      for (const line of block.split("\n")) {
        const [, name, text] = /^(event|data|id): ?(.*)$/.exec(line) ?? [];
        if (name === "data") event.data += (event.data && "\n") + text;
        else if (name === "event") event.type = text;
        else if (name) event.id = text;
      }
      if (event.data) yield event;
    }
  }
}

// EventSource knows neither unknown event types nor the status of an answer, so the stream is fetched.
async function follow() {
  if (stream || !mayFollow() || !find("[data-live]")) return;
  const controller = (stream = new AbortController());
  let last = find('meta[name="event"]')?.content; // The last event in the page, if the page says so.
  let isFirst = true;
  for (let pause = 1; !controller.signal.aborted && !hasEnded; pause = Math.min(pause * 2, 30)) {
    try {
      const headers = { Accept: "text/event-stream", ...(last && (isFirst || notifications?.isOn()) ? { "Last-Event-ID": last } : {}) };
      const response = await request(`${API}/events/stream`, { headers, signal: controller.signal });
      if (response.status === 403 || response.status === 404) return; // No events for this session: "@10" still holds.
      if (!response.ok) throw new Error(`status ${response.status}`);
      showStatus("");
      pause = 1;
      // All before the stream is in a fresh page, all after comes by the stream: no gap.
      if (!(isFirst && last)) markChanged(() => !isFirst || find("main [data-live]") !== null);
      isFirst = false;
      for await (const event of readEvents(response)) {
        last = event.id || last; // No call that waits is missed while a broken stream is opened again.
        markChanged((patterns) => patterns.some((pattern) => matches(pattern, event.type)));
        notifications?.announce(event);
      }
    } catch { /* The server is away, or the tab was hidden. */ }
    if (controller.signal.aborted || hasEnded) return;
    showStatus("Reconnecting…");
    await sleep(pause * 1000 * (0.5 + Math.random()));
  }
}

function stopStream() {
  stream?.abort();
  stream = null;
}

let ticks = 0;
setInterval(() => {
  ticks += 1;
  if (document.hidden || hasEnded) return;
  markChanged((patterns) => patterns.some((pattern) => pattern.startsWith("@") && ticks % Number(pattern.slice(1)) === 0));
  if (ticks % 30 === 0) for (const time of findAll("time[datetime]")) time.textContent = describeDistance(time);
}, 1000);

// The same words as the filter `ago` of the templates. Times that are not relative stay.
function describeDistance(time) {
  if (!/^now$|^in \d| ago$/.test(time.textContent)) return time.textContent;
  const seconds = (new Date(time.dateTime) - Date.now() - ahead) / 1000;
  const size = Math.abs(seconds);
  if (Number.isNaN(size)) return time.textContent;
  if (size < 1) return "now";
  const units = [[31536000, "y"], [2592000, "mo"], [86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const [unit, name] = units.find(([length]) => size >= length);
  const text = `${Math.round(size / unit)} ${name}`;
  return seconds > 0 ? `in ${text}` : `${text} ago`;
}

// ---- Acts ----

async function send(form, button) {
  if (form.dataset.busy || (form.dataset.confirm && !(await confirmAct(form)))) return;
  const fields = new URLSearchParams(new FormData(form));
  // Another content needs another key; the same content after a broken connection keeps the key.
  const content = [...fields].filter(([name]) => name !== "idempotency_key").join("\n");
  if (form.dataset.sent !== undefined && form.dataset.sent !== content) fields.set("idempotency_key", (form.elements.idempotency_key.value = makeKey()));
  form.dataset.sent = content;
  form.dataset.busy = "true";
  button?.setAttribute("aria-busy", "true");
  clearProblems(form);
  let answer;
  try {
    const response = await request(form.getAttribute("action"), { method: "POST", body: fields, headers: { Accept: "application/json" } });
    answer = response.status === 401 ? null : await response.json();
  } catch {
    answer = { ok: false, title: "No answer", detail: "The workbench cannot be reached. Try again: nothing is done twice." };
  } finally {
    delete form.dataset.busy;
    button?.removeAttribute("aria-busy");
  }
  if (!answer) return;
  if (answer.status < 500) { // An answer closes the matter: the next press is a new act.
    form.elements.idempotency_key.value = makeKey();
    delete form.dataset.sent;
  }
  if (answer.ok) await succeed(form, answer);
  else showProblems(form, answer);
}

async function succeed(form, answer) {
  const shown = (form.elements.shown?.value ?? "").split(",").filter((name) => answer.answer?.[name]);
  if (shown.length) await showSecrets(shown.map((name) => [name, String(answer.answer[name])]), form.dataset.sample, form.elements.hint?.value);
  const here = location.pathname + location.search;
  if (answer.next && answer.next !== here) {
    if (answer.done) sessionStorage.setItem("done", answer.done);
    location.assign(answer.next);
    return;
  }
  if (form.elements.method.value === "POST") form.reset();
  toast(answer.done || "Done.");
  // The act may have changed anything on the page; what is being written in other forms stays.
  try {
    const page = await fetchPage();
    if (findAll("form.fields").some((other) => other !== form && isInUse(other))) markChanged(() => true);
    else swap(find("main#content"), page.getElementById("content"));
  } catch { showStatus("Not up to date"); }
}

export function clearProblems(form) {
  for (const made of findAll(".problems[data-made], p.error[data-made]", form)) made.remove();
  for (const input of findAll("[aria-invalid]", form)) input.removeAttribute("aria-invalid");
}

export function showProblems(form, problem) {
  const list = make("ul");
  let first = null;
  for (const { pointer, parameter, detail } of problem.errors ?? []) {
    const input = findField(form, pointer, parameter);
    if (!input) { list.append(make("li", {}, `${pointer?.replace(/^#?\//, "") ?? parameter ?? ""}: ${detail}`)); continue; }
    const id = `e${makeKey()}`;
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", id);
    input.closest(".field")?.append(make("p", { class: "error", id, "data-made": true }, detail));
    first ??= input;
  }
  const box = make("div", { class: "problems", role: "alert", "data-made": true }, make("b", {}, problem.title || "This did not work"), " ", problem.detail || "");
  if (list.children.length) box.append(list);
  if (form.matches(".inline")) toast(`${problem.title || "This did not work"}: ${problem.errors?.[0]?.detail ?? problem.detail ?? ""}`, 10);
  else form.prepend(box);
  first?.focus();
}

function findField(form, pointer, parameter) {
  let place = parameter ? `query.${parameter}` : `body${(pointer ?? "").replace(/^#/, "").replaceAll("/", ".")}`;
  for (; place.includes("."); place = place.slice(0, place.lastIndexOf("."))) {
    const input = [...form.elements].find((element) => element.name?.split(":")[0] === place && element.type !== "hidden");
    if (input) return input;
  }
  return null;
}

// ---- Keys ----

const openPalette = async () => (await import("./palette.js")).openPalette();

let goes = 0;
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); void openPalette(); return; }
  if (event.target.closest?.("[data-chat] textarea") && event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); event.target.form.requestSubmit(); return; }
  if (event.key === "Escape") for (const menu of findAll(".drop[open], .menu[open]")) { menu.open = false; find("summary", menu).focus(); }
  if (event.ctrlKey || event.metaKey || event.altKey || find("dialog[open]") || event.target.closest?.("input, textarea, select")) return;
  const isGo = Date.now() - goes < 1500;
  goes = event.key === "g" ? Date.now() : 0;
  if (event.key.length > 1 || (!isGo && !"/?cjk".includes(event.key))) return;
  event.preventDefault();
  void import("./palette.js").then((palette) => palette.press(event.key, isGo));
});

// ---- Wiring ----

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-act], [data-chat]")) return;
  event.preventDefault();
  if (form.matches("[data-chat]")) void import("./chat.js").then(({ chat }) => chat(form));
  else void send(form, event.submitter);
});
document.addEventListener("formdata", (event) => {
  if (event.target.matches(".filters")) for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
});
document.addEventListener("focusout", () => { if (changed.size) void refreshSoon(); });
document.addEventListener("click", (event) => {
  const { target } = event;
  for (const menu of findAll(".drop[open], .menu[open]")) if (!menu.contains(target)) menu.open = false;
  const button = target.closest("[data-copy], [data-palette], [data-help]");
  if (button?.matches("[data-copy]")) void copy(button);
  else if (button?.matches("[data-palette]")) { if (!event.ctrlKey && !event.metaKey) { event.preventDefault(); void openPalette(); } }
  else if (button?.matches("[data-help]")) void import("./palette.js").then((palette) => palette.showHelp());
  else if (!target.closest("a, button, input, label, select, summary, dialog") && getSelection().isCollapsed) find("td a[href]", target.closest("tr[data-row]") ?? document.createElement("i"))?.click();
});

function prepare(root) {
  for (const button of findAll("[data-copy], [data-help]", root)) button.hidden = false;
  // The dialog asks instead of the checkbox.
  for (const label of findAll(".sure", root)) { label.hidden = true; find("input", label).disabled = true; }
  for (const list of [root, ...findAll("[data-live-list]", root)]) if (list.matches?.("[data-live-list]") && !find(".news", list)) list.prepend(make("div", { class: "news", "aria-live": "polite" }));
  notifications?.show();
  fitBoxes(root);
}
// Boxes that do not scroll are no stops of the keyboard.
function fitBoxes(root = document) {
  for (const box of findAll(".scroll, .graph, .code pre", root)) box.tabIndex = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight ? 0 : -1;
}

prepare(document);
try {
  if (find("[data-notify]") || localStorage.getItem("notifications")) void import("./notifications.js").then((module) => { notifications = module; void follow(); });
} catch { /* The browser keeps nothing for this site. */ }
if (find("[data-preview]")) void import("./preview.js").then(({ watch }) => watch());
addEventListener("resize", () => fitBoxes());
document.addEventListener("visibilitychange", () => { 
  if (!mayFollow()) stopStream();
  else if (stream && !document.hidden) markChanged(() => true); // Hidden parts were not fetched.
  else void follow();
});
addEventListener("pagehide", stopStream);
addEventListener("pageshow", () => void follow());
try {
  const done = sessionStorage.getItem("done");
  sessionStorage.removeItem("done");
  if (done && find(".flash")?.textContent !== done) toast(done);
} catch { /* The browser keeps nothing for this site. */ }
