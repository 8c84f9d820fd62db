"""The webhook receiver of tests."""

from biont.testing import Received
from biont.testing import WebhookReceiver as Receiver

__all__ = ["Received", "Receiver"]
