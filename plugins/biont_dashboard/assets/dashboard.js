// Behaviour of the dashboard in the browser.
