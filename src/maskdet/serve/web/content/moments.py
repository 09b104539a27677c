"""Moments that a request names."""

from datetime import UTC, datetime

from fastapi import HTTPException

# Moments that every machine's zone can be applied to.
_EARLIEST, _LATEST = datetime(1971, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def local_moment(given: datetime) -> datetime:
    """Returns a moment in the machine's zone, which it is of if it says no other.

    Raises:
        HTTPException: it is too far away to be computed with.
    """
    # Those without a zone are compared as if they were UTC, which is near enough for a bound.
    aware = given if given.tzinfo else given.replace(tzinfo=UTC)
    try:
        is_usable = _EARLIEST <= aware <= _LATEST
    except OverflowError:
        is_usable = False
    if not is_usable:
        raise HTTPException(422, "moments lie between 1971 and 2200")
    return given.astimezone()
