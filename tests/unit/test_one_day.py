"""The Odoo tests' plugin that prepares a class anew when the day has changed, tried on pytest itself."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]
PLUGINS = Path(__file__).parents[2] / "scripts" / "pytest"
OPTIONS = ("-p", "no:odoo", "-p", "no:cacheprovider", "-p", "one_day")


@pytest.fixture(autouse=True)
def _plugin(monkeypatch):
    monkeypatch.syspath_prepend(PLUGINS)


@pytest.mark.parametrize(
    ("days", "prepared"), [((22, 22, 22), [22]), ((22, 22, 23), [22, 23]), ((22, 23, 23), [22, 23])]
)
def test_class_is_prepared_anew_when_the_day_has_changed(pytester, days, prepared):
    pytester.makepyfile(f"""
        import unittest
        from datetime import UTC, datetime

        import one_day

        DAYS, PREPARED = {days}, []

        def show(day):
            one_day.now = lambda: datetime(2026, 11, day, 12, tzinfo=UTC)

        show(DAYS[0])

        class TestDays(unittest.TestCase):
            @classmethod
            def setUpClass(cls):
                super().setUpClass()
                cls.day = one_day.now().day
                PREPARED.append(cls.day)

            def _check(self, number):
                self.assertEqual(self.day, DAYS[number])
                show(DAYS[min(number + 1, 2)])

            def test_1(self): self._check(0)
            def test_2(self): self._check(1)
            def test_3(self): self._check(2)

        def test_prepared(): assert PREPARED == {prepared}
    """)
    pytester.runpytest(*OPTIONS).assert_outcomes(passed=4)


def test_no_test_starts_in_the_last_minute_of_a_day(pytester):
    pytester.makepyfile("""
        from datetime import UTC, datetime

        import one_day

        one_day.now = lambda: datetime(2026, 11, 22, 23, 59, 30, tzinfo=UTC)
        one_day.time = type("Time", (), {"slept": [], "sleep": lambda seconds: one_day.time.slept.append(seconds)})

        def test_waits(): assert one_day.time.slept == [60.0]
    """)
    pytester.runpytest(*OPTIONS).assert_outcomes(passed=1)
