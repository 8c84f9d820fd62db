"""A plugin with a job that does nothing but look at how late it is."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel

from biont import Finish, JobKind, JsonObject, Run, Transaction, Workbench, hookimpl


class Nothing(BaseModel):
    """The job needs no parameters."""


@hookimpl
def register_jobs() -> Sequence[JobKind]:
    """Return the job."""
    return [JobKind("do_nothing", Nothing, do_nothing)]


async def do_nothing(run: Run, workbench: Workbench) -> Finish:
    """Keep how late the run has started, in milliseconds."""
    late = (workbench.clock.now() - run.scheduled_for).total_seconds() * 1000

    def finish(_: Transaction) -> JsonObject:
        return {"late": late}

    return finish
