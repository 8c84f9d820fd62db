"""The OpenAI-compatible face: chat completions, so that any client of theirs works here."""
