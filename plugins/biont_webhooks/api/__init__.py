"""REST routes and schemas of webhooks and deliveries."""
