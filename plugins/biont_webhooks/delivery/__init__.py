"""Delivery path: pending deliveries become signed attempts, and attempts become results."""
