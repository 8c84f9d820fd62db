// Sets the chosen theme before the first paint; dashboard.js runs too late for that.
try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch { /* The browser keeps nothing for this site: the theme of the system holds. */ }
