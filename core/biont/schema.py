"""The base class of what requests, answers and events look like."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Schema(BaseModel):
    """A pydantic model that is made ready when it is first used, not when it is imported.

    There are hundreds of them, and a process uses a few: a start need not wait for the
    others, nor keep them in memory. A field that pydantic cannot handle is an error at
    the first use.
    """

    model_config = ConfigDict(defer_build=True)
