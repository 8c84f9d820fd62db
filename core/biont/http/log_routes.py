"""Routes of the log, of backups and of the growth of the database, for administrators."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, JsonValue

from biont.exceptions import NotFound
from biont.http.api import Api
from biont.http.request import Request
from biont.http.system import BACKUPS, LOG_TAIL, TABLE_SIZES
from biont.runtime.log_tail import KEPT_LINES, LogLine
from biont.schema import Schema
from biont.store.backup_folder import BackupFile
from biont.store.growth import list_sizes

api = Api("core")


class LogLevel(StrEnum):
    """Level of a line of the log."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


class LogLineView(Schema):
    """A line of the log."""

    number: int = Field(description="The place of the line in the log, since the start.")
    at: datetime | None
    level: LogLevel
    logger: str | None
    message: str
    request_id: str | None = Field(description="The id of the request that the line belongs to.")
    exception: str | None = Field(description="The traceback of an error.")
    fields: dict[str, JsonValue] = Field(description="The other values of the line.")


class LogView(Schema):
    """The last lines of the log."""

    data: list[LogLineView]


class BackupView(Schema):
    """A backup of the database."""

    name: str = Field(description="The name of the file in the folder of backups.")
    bytes: int
    made_at: datetime


class NewBackup(BackupView):
    """A backup that was just made."""

    path: str = Field(description="The path of the file on the machine of the workbench.")
    seconds: float = Field(description="The time that the backup has taken.")


class BackupList(Schema):
    """All backups in the folder of backups."""

    folder: str
    data: list[BackupView]


class SizeView(Schema):
    """Size of the database at an instant."""

    measured_at: datetime
    bytes: int


class TableView(Schema):
    """Share of a table in the database."""

    name: str
    rows: int
    bytes: int | None = Field(
        description="The size with all indexes; null if this SQLite has no `dbstat`."
    )


class GrowthView(Schema):
    """Growth of the database."""

    sizes: list[SizeView] = Field(
        description="The size of the file once an hour, for 30 days, the oldest first."
    )
    tables: list[TableView] = Field(
        description="All tables, the largest first; empty until the first measurement has ended."
    )
    tables_measured_at: datetime | None


@api.get("/system/growth", operation="read_growth", admin=True, narrowable=False)
async def read_growth(request: Request) -> GrowthView:
    """Get the sizes of the database in the last 30 days, and the share of each table now.

    For administrators. The tables are measured at most once an hour. A measurement reads the whole
    file; the answer comes after two seconds at the latest, with the tables as measured before.
    """
    workbench = request.workbench
    measured = workbench.get(TABLE_SIZES)
    tables = await measured.read()
    return GrowthView(
        sizes=[
            SizeView(measured_at=size.measured_at, bytes=size.bytes)
            for size in await workbench.store.read(list_sizes)
        ],
        tables=[TableView(name=each.name, rows=each.rows, bytes=each.bytes) for each in tables],
        tables_measured_at=measured.measured_at,
    )


@api.get("/system/log", operation="read_log", admin=True, narrowable=False)
async def read_log(
    request: Request,
    level: LogLevel = LogLevel.INFO,
    limit: Annotated[int, Field(ge=1, le=KEPT_LINES)] = 100,
) -> LogView:
    """Read the last lines of the log at or above a level, the newest first.

    For administrators. Secrets are masked, as in the log itself. The last 200 lines of each level
    are kept, since the start; `log.level` decides which lines there are.
    """
    lines = request.workbench.get(LOG_TAIL).read(level, limit)
    return LogView(data=[_make_line_view(line) for line in lines])


@api.get("/system/backups", operation="list_backups", admin=True, narrowable=False)
async def list_backups(request: Request) -> BackupList:
    """List the backups in the folder `database.backup_folder`, the newest first.

    For administrators. Backups by `biont backup` to other places are not in the list.
    """
    backups = request.workbench.get(BACKUPS)
    files = await backups.list_files()
    return BackupList(
        folder=str(backups.folder),
        data=[BackupView(**_describe(file)) for file in files],
    )


@api.get("/system/backups/{name}", operation="read_backup", admin=True, narrowable=False)
async def read_backup(
    request: Request, name: Annotated[str, Field(min_length=1, max_length=200)]
) -> BackupView:
    """Read a backup in the folder `database.backup_folder`: its size and its time.

    For administrators. The content stays on the machine of the workbench.
    """
    # By the list, so that no name leads out of the folder.
    for file in await request.workbench.get(BACKUPS).list_files():
        if file.name == name:
            return BackupView(**_describe(file))
    raise NotFound(f"there is no backup {name!r}")


@api.post(
    "/system/backups",
    operation="make_backup",
    admin=True,
    narrowable=False,
    location="/system/backups/{name}",
)
async def make_backup(request: Request) -> NewBackup:
    """Make a backup of the database now, in a new file of the folder `database.backup_folder`.

    For administrators. Writes go on meanwhile. The backup has the state of one moment and is
    checked; the answer comes when the file is complete. The status is 409 while another backup is
    made, and 503 if there is too little space. The key file of the vault is not in the backup.
    """
    backups = request.workbench.get(BACKUPS)
    file, seconds = await backups.make()
    path = str(backups.folder / file.name)
    return NewBackup(path=path, seconds=round(seconds, 3), **_describe(file))


def _describe(file: BackupFile) -> dict[str, object]:
    return {"name": file.name, "bytes": file.size, "made_at": file.made_at}


def _make_line_view(line: LogLine) -> LogLineView:
    values = {**line.values}
    values.pop("level", None)

    def take(name: str) -> str | None:
        value = values.pop(name, None)
        return None if value is None else str(value)

    at = take("timestamp")
    return LogLineView(
        number=line.number,
        at=None if at is None else datetime.fromisoformat(at),
        level=LogLevel(line.level),
        logger=take("logger"),
        message=take("event") or "",
        request_id=take("request_id"),
        exception=take("exception"),
        fields=values,
    )
