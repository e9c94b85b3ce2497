"""nix/time.nix accepts the times that systemd accepts."""

from __future__ import annotations

import json
import re
import subprocess
from functools import cache

import pytest

from tests.nix.support import ROOT, ask, needs_nix, needs_systemd

pytestmark = [needs_nix, needs_systemd]

SPANS = (
    *("15min", "5m", "5 min", "1h 30min", "1h30min", "90", "90s", "0", "0min", "-5min", "-0", "5 minutes 3 s", "1.5h"),
    *(".5h", "5.", "5.5.5", "12.34 .56", "12.34.56", "12.34s.56", "forever", "15 mins", "5minutes", "5mins", "1d"),
    *("1w", "1M", "1y", "5µs", "5 us", "1month 2weeks", "+5", "5+3", "5s+3", "5s -3", "5 5", "0x5", "15minn", "min"),
    *("five minutes", "1h,30m", "1:30", "*:0/15", "99999999999999999999", "1e3", "1 e3", "15m]", "daily", "5 sec"),
    *("5 hr", "5hrs", "2 days", "3 years", "1e", "5 M 3 m", "", " ", " 5min ", "007min", "1h -", "5msec 2usec", "1 H"),
)
CALENDARS = (
    *("hourly", "hourly UTC", "*:0/15", "15min", "*/15 * * * *", "Mon..Fri 08:00", "25:00", "@1395716396", "*-*-03"),
    *("Mon,Tue", "mon-fri", "Mon, Tue 05:00", "*-05~1..3", "12-31", "1/2:00", "2003-*", "05:40:23.42/3.17", "8:60"),
    *("weekly Europe/Berlin", "Mon *-*-01..07 4:00:00", "00:00:00/5", "* *-*-* 0:0", "quarterly", "semi-annually"),
    *("bi-annually", "annually", "*", "Mon-", "Monday", "*-*-* *:*:*", "*-*-*", "08:00 08:00", "08:00, 12:00", "tues"),
    *("08,12:00", "*-13-01", "*-*-32", "2026-02-30", "24:00", "23:59:60", "1:2:3 UTC", "Sat,Mon..Wed,Sun 1:30", "8"),
    *("MON 03:00", "Thu,Fri 2012-*-1,5 11:12:13", "Mon *-*~07/1", "2003-02..04-05", "*:2/3", "monthly", "DAILY", ""),
    *("every 15 minutes", "15:00 Mon", "08:00;12:00", "noon", "*:00,30", "0/4:00", "*-1,4,7,10-01", "*-02~3", "@-5"),
    *("Mon-Fri 8:00 Europe/Berlin", "2026-1-1", "*-*-*T08:00", "-*-* 08:00", "8:5", "Mon..Mon", "1,2,3:00"),
    *("Mon,Wed..Fri 7..9:30", "1:00..3:00", "minutely", "yearly", "*:0/15:30", "00:00:00.000001"),
)


@cache
def _in_nix() -> tuple[list[float | None], list[bool]]:
    lists = ("".join(f" {json.dumps(text, ensure_ascii=False)}" for text in texts) for texts in (SPANS, CALENDARS))
    spans, calendars = lists
    answer = ask(
        f"let time = import {ROOT / 'nix' / 'time.nix'}; "
        f"in [ (map time.seconds [{spans} ]) (map time.isCalendar [{calendars} ]) ]"
    )
    assert answer.is_content, answer.error
    return answer.value[0], answer.value[1]


def _in_systemd(verb: str, text: str) -> str | None:
    command = ["systemd-analyze", verb, "--", text]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout if done.returncode == 0 else None


@pytest.mark.parametrize("text", SPANS)
def test_a_time_span_is_as_long_as_systemd_says(text: str) -> None:
    said = _in_systemd("timespan", text)
    seconds = _in_nix()[0][SPANS.index(text)]
    if said is None:
        assert seconds is None
    else:
        microseconds = re.search(r"μs: ([0-9]+)", said)
        assert microseconds is not None
        assert seconds is not None
        assert seconds == pytest.approx(int(microseconds[1]) / 1e6, rel=1e-5, abs=1e-9)  # Nix prints six digits


def test_a_span_without_end_is_no_interval_though_systemd_knows_it() -> None:
    assert _in_systemd("timespan", "infinity") is not None
    answer = ask(f'(import {ROOT / "nix" / "time.nix"}).seconds "infinity"')
    assert (answer.is_content, answer.value) == (True, None)


@pytest.mark.parametrize("text", CALENDARS)
def test_a_calendar_expression_is_one_for_systemd_too(text: str) -> None:
    assert _in_nix()[1][CALENDARS.index(text)] == (_in_systemd("calendar", text) is not None)
