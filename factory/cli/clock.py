"""Today's date."""

from datetime import UTC, date, datetime


def today() -> date:
    """Return today's date in UTC: what `until` and `supported` are judged by."""
    return datetime.now(UTC).date()
