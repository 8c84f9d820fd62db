"""HTTP: typed routes in, problem documents and OpenAPI out."""
