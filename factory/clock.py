"""Today's date."""

from datetime import UTC, date, datetime


def today() -> date:
    """Return the date in UTC, by which waivers expire and platforms grow old."""
    return datetime.now(UTC).date()
