"""Job kinds: the jobs that schedules can run, as plugins register them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from biont.scheduler.run import Finish, Run
from biont.services import Service
from biont.workbench import Workbench


@dataclass(frozen=True)
class JobKind:
    """A kind of job, as a plugin registers it.

    Attributes:
        name: the name in schedules: ``prompt``.
        parameters: the model of the parameters that a schedule of this kind has.
        run: does the work and returns the function that then writes its outcome. It may be
            called again for the same run after a crash. An exception ends the run as
            failed; `BudgetExceeded` ends it as skipped.
    """

    name: str
    parameters: type[BaseModel]
    run: Callable[[Run, Workbench], Awaitable[Finish]]


JOB_KINDS = Service[Mapping[str, JobKind]]("job kinds", provider="core")
"""All registered kinds of job, by name."""
