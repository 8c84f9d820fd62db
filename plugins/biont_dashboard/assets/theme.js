// Theme: set before the first paint, for which dashboard.js runs too late; and the switch of it.

const THEMES = ["automatic", "light", "dark"];
const root = document.documentElement;

function readTheme() {
  try {
    return THEMES.includes(localStorage.getItem("theme")) ? localStorage.getItem("theme") : THEMES[0];
  } catch {
    return THEMES[0]; // The browser keeps nothing for this site.
  }
}

function showTheme(theme) {
  if (theme === THEMES[0]) delete root.dataset.theme;
  else root.dataset.theme = theme;
  for (const button of document.querySelectorAll("[data-theme-switch]")) {
    button.hidden = false;
    button.title = `Theme: ${theme}`;
    button.setAttribute("aria-label", button.title);
  }
}

showTheme(readTheme());
document.addEventListener("DOMContentLoaded", () => showTheme(readTheme()));
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-theme-switch]")) return;
  const theme = THEMES[(THEMES.indexOf(root.dataset.theme ?? THEMES[0]) + 1) % THEMES.length];
  showTheme(theme);
  try { localStorage.setItem("theme", theme); } catch { /* Then the choice holds for this page. */ }
});
addEventListener("storage", () => showTheme(readTheme())); // Chosen in another tab.
