"""Documents of the API for tools: OpenAPI and its parts."""
