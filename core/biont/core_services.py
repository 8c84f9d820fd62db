"""Services of the core, which every workbench has."""

from __future__ import annotations

from biont.accounts.key_quota import make_key_quota
from biont.accounts.quotas import QUOTAS, Quotas
from biont.http.admission import ADMISSION, Admission
from biont.http.idempotency import RUNNING_KEYS, RunningKeys
from biont.http.system import BACKUPS, LOG_TAIL, TABLE_SIZES
from biont.runtime.log_tail import LogTail
from biont.store.backup_folder import BackupFolder
from biont.store.growth import TableSizes
from biont.workbench import Workbench


def provide_services(workbench: Workbench, log_tail: LogTail | None = None) -> None:
    """Offer the services of the core to the routes and plugins of a workbench."""
    limits, clock = workbench.settings.limits, workbench.clock
    workbench.provide(RUNNING_KEYS, RunningKeys())
    workbench.provide(ADMISSION, Admission(workbench.keys, clock, limits))
    quotas = Quotas()
    quotas.add(make_key_quota(limits.keys, clock))
    workbench.provide(QUOTAS, quotas)
    workbench.provide(LOG_TAIL, log_tail or LogTail())
    database = workbench.settings.database
    workbench.provide(TABLE_SIZES, TableSizes(database.path, clock))
    workbench.provide(BACKUPS, BackupFolder(database.path, database.backups, clock))
