"""Pages for people: Swagger UI, the events, and the documentation as Markdown."""
