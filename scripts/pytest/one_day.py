"""pytest plugin: a test sees the day that its class was prepared on, also in a run that passes midnight.

Odoo's test classes prepare invoices due so many days from today, once for all their tests. Past midnight the class is
prepared anew, and no test starts so late that midnight would come in the middle of it.
"""

import time
from datetime import UTC, datetime, timedelta

import pytest

LONGEST_TEST = timedelta(seconds=60)
DAY = pytest.StashKey()


def now():
    """Odoo's processes go by UTC."""
    return datetime.now(UTC)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item):
    if (now() + LONGEST_TEST).date() != now().date():
        time.sleep(LONGEST_TEST.total_seconds())
    today, stash = now().date(), item.session.stash
    if stash.get(DAY, today) != today:
        item.session._setupstate.teardown_exact(item.getparent(pytest.Module))
    stash[DAY] = today
