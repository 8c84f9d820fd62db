// Notifications of the browser: a tool call waits for an approval, also while the tab is hidden.
// Off until the user presses the button on the page of approvals; kept for this browser.

import { find, toast } from "./dashboard.js";

const KEY = "notifications";
const isPossible = () => "Notification" in window && isSecureContext;

export function isOn() {
  try {
    return isPossible() && Notification.permission === "granted" && localStorage.getItem(KEY) === "on";
  } catch { return false; } // The browser keeps nothing for this site.
}

async function toggle() {
  if (isOn()) localStorage.removeItem(KEY);
  else if ((await Notification.requestPermission()) === "granted") localStorage.setItem(KEY, "on");
  else toast("This browser does not allow notifications of this site. Its settings can change that.", 10);
  show();
}

// Also after the page has been replaced: the button of a fresh page is hidden.
export function show() {
  const button = find("[data-notify]");
  if (!button || !isPossible()) return;
  button.textContent = isOn() ? "Stop notifying me" : "Notify me";
  button.hidden = false;
}

export function announce(event) {
  if (event.type !== "tool_call_waiting" || !isOn()) return;
  try {
    const { payload } = JSON.parse(event.data);
    // One notification for each call, however many tabs are open.
    const options = { body: `${payload.tool} waits for your approval.`, tag: `approval-${payload.tool_call_id}` };
    new Notification("Biont: approve a tool call?", options).addEventListener("click", () => {
      window.focus();
      location.assign("/dashboard/approvals");
    });
  } catch { /* Browsers of phones show notifications only for installed sites. */ }
}

document.addEventListener("click", (event) => { if (event.target.closest("[data-notify]")) void toggle(); });
show();
