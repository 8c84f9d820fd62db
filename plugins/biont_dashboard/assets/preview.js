// Preview of a form: shows what the fields mean while somebody writes.
// <button formaction="..." data-preview="ID"> sends the form there, and takes the element with this id from the answer.

import { find, request, toast } from "./dashboard.js";

const turns = new Map(); // The last question about each preview: an older answer is not shown.
let timer = 0;

async function show(button, isAsked) {
  const { preview } = button.dataset;
  const turn = (turns.get(preview) ?? 0) + 1;
  turns.set(preview, turn);
  if (isAsked) button.setAttribute("aria-busy", "true");
  try {
    const fields = new URLSearchParams(new FormData(button.form));
    const response = await request(button.formAction, { method: "POST", body: fields, headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = page.getElementById(preview);
    if (turn === turns.get(preview) && fresh) find(`#${preview}`)?.replaceChildren(...fresh.childNodes);
  } catch {
    if (isAsked) toast("The workbench cannot be reached. Try again."); // Else the next change tries again.
  } finally {
    button.removeAttribute("aria-busy");
  }
}

export function watch() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-preview]");
    if (!button) return;
    event.preventDefault();
    if (!button.hasAttribute("aria-busy")) void show(button, true);
  });
  document.addEventListener("input", (event) => {
    const button = event.target.form && find("[data-preview]", event.target.form);
    if (!button) return;
    clearTimeout(timer);
    timer = setTimeout(() => void show(button, false), 400);
  });
}
