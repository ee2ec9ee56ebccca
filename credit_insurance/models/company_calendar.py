"""The company's calendar: duties fall on its dates, whatever the time zone of whoever looks."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from odoo import fields


def company_today(company):
    """Today's date where the company is."""
    calendar_tz = company.sudo().resource_calendar_id.tz or "UTC"
    return fields.Date.context_today(company.with_context(tz=calendar_tz))


def company_day_bounds(company, day):
    """The first moment of ``day`` where the company is and the first of the day after, as stored (UTC, naive)."""
    zone = ZoneInfo(company.sudo().resource_calendar_id.tz or "UTC")
    midnights = [datetime.combine(date, time.min, zone) for date in (day, day + timedelta(days=1))]
    return tuple(midnight.astimezone(UTC).replace(tzinfo=None) for midnight in midnights)


def company_holidays(company):
    """The days on which the company's calendar says that nobody works, as a frozenset of dates."""
    leaves = company.sudo().resource_calendar_id.global_leave_ids
    days = set()
    for leave in leaves:
        zoned = leave.with_context(tz=leave.calendar_id.tz or "UTC")
        first = fields.Datetime.context_timestamp(zoned, leave.date_from).date()
        last = fields.Datetime.context_timestamp(zoned, leave.date_to).date()
        days.update(first + timedelta(days=number) for number in range((last - first).days + 1))
    return frozenset(days)
