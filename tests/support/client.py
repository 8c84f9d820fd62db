"""The REST client of tests."""

from biont.testing import ApiAnswer as Answer
from biont.testing import ApiClient as Client
from biont.testing import payload_of, rows_of

__all__ = ["Answer", "Client", "payload_of", "rows_of"]
