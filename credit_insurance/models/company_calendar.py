"""The company's calendar: duties fall on its dates, whatever the time zone of whoever looks."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from odoo import fields, models, tools


def company_today(company):
    """Today's date where the company is."""
    return fields.Date.context_today(company.with_context(tz=company._get_credit_timezone()))


def company_day(company, moment):
    """The date of a stored moment where the company is."""
    return fields.Datetime.context_timestamp(company.with_context(tz=company._get_credit_timezone()), moment).date()


def company_day_bounds(company, day):
    """The first moment of ``day`` where the company is and the first of the day after, as stored (UTC, naive)."""
    zone = company._get_credit_timezone()
    return day_begin(day, zone), day_begin(day + timedelta(days=1), zone)


def day_begin(day, zone):
    """The first moment of ``day`` in a time zone, as stored (UTC, naive)."""
    return datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None)


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


class ResCompany(models.Model):
    _inherit = "res.company"

    def write(self, vals):
        result = super().write(vals)
        if "resource_calendar_id" in vals:
            self.env.registry.clear_cache()
        return result

    @tools.ormcache("self.id")
    def _get_credit_timezone(self):
        """Every decision asks for it and it hardly ever changes: kept in memory until it does."""
        return self.sudo().resource_calendar_id.tz or "UTC"


class ResourceCalendar(models.Model):
    _inherit = "resource.calendar"

    def write(self, vals):
        result = super().write(vals)
        if "tz" in vals:
            self.env.registry.clear_cache()
        return result
