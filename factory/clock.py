"""Today's date."""

from datetime import UTC, date, datetime


def today() -> date:
    """Return the day in UTC, by which waivers end and platforms age."""
    return datetime.now(UTC).date()
