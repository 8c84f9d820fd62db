"""Operations on webhooks and their deliveries, shared by routes and handlers."""
