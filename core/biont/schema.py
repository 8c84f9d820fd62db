"""Base class of the models of requests, responses and event payloads."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Schema(BaseModel):
    """Pydantic model whose validator is built at the first use instead of at import.

    The workbench has hundreds of schemas, and a process uses only a few: a start then costs less
    time and memory. A field that pydantic cannot handle is an error at the first use.

    Attributes:
        state_fields: the fields of a view that the workbench itself changes, such as a count. They
            do not count for ``If-Match``; see `biont.http.entity_tags`.
    """

    model_config = ConfigDict(defer_build=True)

    state_fields: ClassVar[frozenset[str]] = frozenset()
