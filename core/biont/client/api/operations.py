# Written by tests/client/generate.py from the API document. Do not edit.
"""Operations of the group ``operations``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from biont.client.api.shared_models import OperationStatus, OperationView, Sort
from biont.client.async_pages import AsyncPages
from biont.client.call import make_call
from biont.client.groups import AsyncOperationGroup, OperationGroup
from biont.client.pages import Pages


class Operations(OperationGroup):
    """Acts on many rows, which are worked off in the background."""

    def list(
        self,
        *,
        kind: Sequence[str] | None = None,
        status: Sequence[OperationStatus] | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> Pages[OperationView]:
        """List your operations, the newest first.

        `kind` and `status` may be repeated: any of the values matches. A page of a rare filter
        may
        have fewer operations than `limit`, or none; follow `next` until null.

        Needs an API key of any scope.

        Args:
            since: Only what was made at this instant or later.
            until: Only what was made before this instant.
            sort: The order: `-created_at`, the newest first, or `created_at`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            OperationView,
            make_call(
                "GET",
                "/api/v1/operations",
                query={
                    "kind": kind,
                    "status": status,
                    "since": since,
                    "until": until,
                    "sort": sort,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    def read(
        self,
        operation_id: int,
        /,
        *,
        fields: str | None = None,
    ) -> OperationView:
        """Read an operation and its progress.

        Read the operation again until `status` is not `running` any more.

        Needs an API key of any scope.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._read(
            OperationView,
            make_call(
                "GET",
                "/api/v1/operations/{}",
                (operation_id,),
                query={"fields": fields},
            ),
        )

    def cancel(
        self,
        operation_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> OperationView:
        """Cancel a running operation; the changes that it has made stay.

        An operation that is done or has failed cannot be cancelled: 409.

        Needs an API key of scope `full` or `chat` or `webhook`.
        """
        return self._read(
            OperationView,
            make_call(
                "POST",
                "/api/v1/operations/{}/cancel",
                (operation_id,),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )


class AsyncOperations(AsyncOperationGroup):
    """Acts on many rows, which are worked off in the background."""

    def list(
        self,
        *,
        kind: Sequence[str] | None = None,
        status: Sequence[OperationStatus] | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        sort: Sort | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        fields: str | None = None,
    ) -> AsyncPages[OperationView]:
        """List your operations, the newest first.

        `kind` and `status` may be repeated: any of the values matches. A page of a rare filter
        may
        have fewer operations than `limit`, or none; follow `next` until null.

        Needs an API key of any scope.

        Args:
            since: Only what was made at this instant or later.
            until: Only what was made before this instant.
            sort: The order: `-created_at`, the newest first, or `created_at`.
            limit: The largest number of items in the page.
            cursor: The `next` of the previous page; absent for the first.
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return self._list(
            OperationView,
            make_call(
                "GET",
                "/api/v1/operations",
                query={
                    "kind": kind,
                    "status": status,
                    "since": since,
                    "until": until,
                    "sort": sort,
                    "limit": limit,
                    "fields": fields,
                },
            ),
            cursor,
        )

    async def read(
        self,
        operation_id: int,
        /,
        *,
        fields: str | None = None,
    ) -> OperationView:
        """Read an operation and its progress.

        Read the operation again until `status` is not `running` any more.

        Needs an API key of any scope.

        Args:
            fields: Only these fields of the object, or of each item: names with commas.
        """
        return await self._read(
            OperationView,
            make_call(
                "GET",
                "/api/v1/operations/{}",
                (operation_id,),
                query={"fields": fields},
            ),
        )

    async def cancel(
        self,
        operation_id: int,
        /,
        *,
        idempotency_key: str | None = None,
    ) -> OperationView:
        """Cancel a running operation; the changes that it has made stay.

        An operation that is done or has failed cannot be cancelled: 409.

        Needs an API key of scope `full` or `chat` or `webhook`.
        """
        return await self._read(
            OperationView,
            make_call(
                "POST",
                "/api/v1/operations/{}/cancel",
                (operation_id,),
                headers={"Idempotency-Key": idempotency_key},
            ),
        )
