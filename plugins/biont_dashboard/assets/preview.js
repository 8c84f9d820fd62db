// Preview of a form: shows what the fields mean while somebody writes.
// <button formaction="..." data-preview="ID"> sends the form there, and takes the element with this id from the answer.

import { find, request } from "./dashboard.js";

let count = 0;
let timer = 0;

async function show(button) {
  const turn = ++count;
  try {
    const fields = new URLSearchParams(new FormData(button.form));
    const response = await request(button.formAction, { method: "POST", body: fields, headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const fresh = page.getElementById(button.dataset.preview);
    if (turn === count && fresh) find(`#${button.dataset.preview}`)?.replaceChildren(...fresh.childNodes);
  } catch { /* The next change tries again. */ }
}

export function watch() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-preview]");
    if (!button) return;
    event.preventDefault();
    void show(button);
  });
  document.addEventListener("input", (event) => {
    const button = event.target.form && find("[data-preview]", event.target.form);
    if (!button) return;
    clearTimeout(timer);
    timer = setTimeout(() => void show(button), 400);
  });
}
