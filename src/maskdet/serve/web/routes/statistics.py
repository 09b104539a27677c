"""Counts over time, as JSON and CSV."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Response

from maskdet.serve.hub import Hub
from maskdet.serve.storing.export import counts_csv
from maskdet.serve.storing.records import Bucket, Span
from maskdet.serve.web.content.moments import local_moment
from maskdet.serve.web.content.views import BucketView, StatisticsView

_USUAL = timedelta(days=1)
# What one answer may hold, at most: a week of minutes, thirteen months of hours.
_MOST_ROWS = 10_100
_SECONDS = {"minute": 60, "hour": 3600, "day": 86_400, "week": 604_800, "month": 2_419_200}


@dataclass(frozen=True)
class Asked:
    """Which counts are asked for."""

    start: datetime
    end: datetime
    by: Span
    camera: str | None


def asked(
    start: Annotated[
        datetime | None, Query(alias="from", description="a day before the end, if left out")
    ] = None,
    end: Annotated[datetime | None, Query(alias="to", description="now, if left out")] = None,
    by: Annotated[Span, Query(description="how long each span is")] = "hour",
    camera: Annotated[
        str | None, Query(max_length=200, description="all together, if left out")
    ] = None,
) -> Asked:
    """Reads the query. Moments without a zone are of the machine's."""
    last = local_moment(end) if end is not None else datetime.now(UTC)
    first = local_moment(start) if start is not None else last - _USUAL
    if first >= last:
        raise HTTPException(422, "`from` must lie before `to`")
    if (last - first).total_seconds() / _SECONDS[by] > _MOST_ROWS:
        raise HTTPException(422, f"more than {_MOST_ROWS} spans: ask for longer ones")
    return Asked(first, last, by, camera)


def statistics(hub: Hub) -> APIRouter:
    """Returns the routes."""
    router = APIRouter(prefix="/api", tags=["statistics"])

    def buckets(query: Asked) -> list[Bucket]:
        if query.camera is not None and query.camera not in {one.name for one in hub.cameras()}:
            raise HTTPException(404, "there is no such camera")
        return hub.store.statistics(query.start, query.end, query.by, query.camera)

    @router.get("/statistics")
    def as_json(query: Annotated[Asked, Depends(asked)]) -> StatisticsView:
        """Counts from one moment to another, by the minute, hour, day, week or month."""
        found = buckets(query)
        return StatisticsView(
            start=query.start,
            end=query.end,
            by=query.by,
            camera=query.camera,
            labels=_labels(hub, found),
            rows=[BucketView.of(bucket) for bucket in found],
        )

    @router.get("/statistics.csv", response_class=Response)
    def as_csv(query: Annotated[Asked, Depends(asked)]) -> Response:
        """The same as `maskdet serve --export counts`: a row for each span, camera and label."""
        names = [status.name for status in hub.cameras()]
        if query.camera is not None and query.camera not in names:
            raise HTTPException(404, "there is no such camera")
        cameras = names if query.camera is None else [query.camera]
        lines = counts_csv(hub.store, cameras, query.start, query.end, query.by)
        return Response(
            "".join(lines),
            media_type="text/csv; charset=utf-8",
            headers={"content-disposition": 'attachment; filename="statistics.csv"'},
        )

    return router


def _labels(hub: Hub, buckets: Iterable[Bucket]) -> list[str]:
    """Returns the labels of today's networks, and those that earlier ones had."""
    current = [label for camera in hub.cameras() for label in camera.labels]
    earlier = [label for bucket in buckets for label in (*bucket.people, *bucket.faces)]
    return list(dict.fromkeys([*current, *earlier]))
