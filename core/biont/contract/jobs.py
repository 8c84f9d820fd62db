"""Job kinds: jobs that schedules can run, registered by plugins."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from biont.scheduler.run import Finish, Run
from biont.services import Service
from biont.workbench import Workbench


@dataclass(frozen=True)
class JobKind:
    """Kind of job.

    Attributes:
        name: the name in schedules: ``prompt``.
        parameters: the model of the parameters in schedules of this kind.
        run: does the work, and returns the function that writes the outcome. After a crash the
            scheduler calls `run` again for the same run. An exception ends the run as failed;
            `BudgetExceeded` ends the run as skipped.
        requires: the names of plugins that the job needs. The kind is missing while one of the
            plugins does not run.
    """

    name: str
    parameters: type[BaseModel]
    run: Callable[[Run, Workbench], Awaitable[Finish]]
    requires: tuple[str, ...] = ()


JOB_KINDS = Service[Mapping[str, JobKind]]("job kinds", provider="core")
"""All registered job kinds, by name."""
