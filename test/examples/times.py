"""Times of generated rows as seconds since their start, 2026-01-01."""
import datetime

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)


def seconds(text):
    return (datetime.datetime.fromisoformat(text.replace("Z", "+00:00")) - START).total_seconds()


def instant(since_start):
    """As Mut writes it: 0 or 3 digits of a second here."""
    at = START + datetime.timedelta(milliseconds=round(since_start * 1000))
    form = at.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{form}.{at.microsecond // 1000:03}Z" if at.microsecond else f"{form}Z"
