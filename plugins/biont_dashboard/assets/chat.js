// Chat: sends a question, and shows the answer while the model writes.

import { API, clearProblems, csrf, find, make, markChanged, readEvents, request, showProblems } from "./dashboard.js";

export async function chat(form) {
  const area = find("textarea", form);
  const log = find("[data-chat-log]");
  const stop = find("[data-chat-stop]", form);
  if (!area.value.trim() || form.dataset.busy || !log) return;
  const body = { message: area.value, stream: true };
  if (form.dataset.chat) body.conversation_id = Number(form.dataset.chat);
  for (const input of form.elements) {
    const [name, ...types] = (input.name ?? "").replace("body.", "").split(":");
    if (!["model", "system", "backend", "tools"].includes(name) || !input.value || (input.type === "checkbox" && !input.checked)) continue;
    body[name] = types.includes("words") ? input.value.split(/[\s,]+/) : types.includes("json") ? JSON.parse(input.value) : input.value;
  }
  const text = make("div", { class: "text" });
  const answer = make("article", { class: "msg", "data-role": "assistant", "aria-busy": "true" }, text, make("small", {}, "Assistant"));
  const question = make("article", { class: "msg", "data-role": "user" }, make("div", { class: "text" }, body.message), make("small", {}, "You"));
  log.append(question, answer);
  answer.scrollIntoView({ block: "nearest" });
  const controller = new AbortController();
  stop.onclick = () => controller.abort();
  form.dataset.busy = "true";
  stop.hidden = false;
  clearProblems(form);
  area.value = "";
  const fail = (problem) => {
    showProblems(form, problem);
    area.value ||= body.message;
    if (!text.textContent) { answer.remove(); question.remove(); }
  };
  try {
    const response = await request(`${API}/chat`, { method: "POST", signal: controller.signal, body: JSON.stringify(body),
      headers: { "Content-Type": "application/json", Accept: "text/event-stream, application/json", "X-CSRF-Token": csrf() } });
    if (!response.ok) fail(await response.json().catch(() => ({ title: `Status ${response.status}` })));
    else for await (const event of readEvents(response)) take(event.type, JSON.parse(event.data));
  } catch (error) {
    if (error.name === "AbortError") answer.append(make("small", {}, " · stopped"));
    else fail({ title: "No answer", detail: "The connection broke. What was answered so far is kept." });
  } finally {
    delete form.dataset.busy;
    stop.hidden = true;
    answer.removeAttribute("aria-busy");
    area.focus();
    markChanged((patterns) => patterns.some((pattern) => pattern.startsWith("ai_"))); // The answer as the workbench shows it.
  }

  function take(type, data) {
    const isAtEnd = innerHeight + scrollY > document.body.scrollHeight - 120;
    if (type === "token") text.append(data.text);
    else if (type === "tool") text.after(make("p", { class: "tool" }, `${data.name} ${data.arguments}`.slice(0, 300)));
    else if (type === "error") fail(data);
    else if (type === "done") {
      if (!form.dataset.chat && location.pathname === "/dashboard/chat") history.replaceState(null, "", `/dashboard/chat/${data.conversation_id}`);
      form.dataset.chat = data.conversation_id;
      if (data.interrupted) answer.append(make("small", {}, " · interrupted"));
      if (data.waiting?.length) answer.append(make("p", { class: "tool" }, make("a", { href: "/dashboard/approvals" }, "A tool call waits for your approval")));
    }
    if (isAtEnd) scrollTo(0, document.body.scrollHeight);
  }
}

