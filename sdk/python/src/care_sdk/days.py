"""Dates are days since 1970-01-01, instants Unix milliseconds."""

import datetime

_EPOCH = datetime.date(1970, 1, 1).toordinal()
_DAY_MS = 86_400_000
# China has had one zone without summer time since 1992; the province's business dates are meant in it.
_PROVINCE_OFFSET_MS = 8 * 3_600_000


def parse(text):
    """Reads ``2026-07-29``; raises ValueError for a day that no calendar has."""
    return datetime.date.fromisoformat(text).toordinal() - _EPOCH


def civil(date):
    """A day as a ``datetime.date``, with year, month and day."""
    return datetime.date.fromordinal(date + _EPOCH)


def format(date):
    """Writes a day as ``2026-07-29``."""
    return civil(date).isoformat()


def at(date, hour):
    """The instant of an hour (0 to 24) of a day in the province."""
    return date * _DAY_MS + hour * 3_600_000 - _PROVINCE_OFFSET_MS


def end(date):
    """The last millisecond of a day in the province."""
    return at(date, 24) - 1
