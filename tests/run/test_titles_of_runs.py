"""No title misleads: any sequence of a few steps, with failing channels and silences."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailmon.model import Alert, Health, News, Policy, Status
from mailmon.run.subjects import NETWORK, own_subject
from tests.alerting.sequences import STEP, outcome, subject
from tests.run.fake_channels import BROKEN, FakeChannels
from tests.run.stored_runs import StoredRuns

LABELS = {STEP: "SMTP Auth", "imap_auth:main": "IMAP Auth", "send:office": "Send Test", "receive:main": "Receive Test"}
POLICIES = (Policy(), Policy(2, 1, 2), Policy(1, 2, 3, 1800), Policy(reminder_interval_s=900))
SUBJECTS = {
    **{
        step_id: subject(policy)._replace(label=label, names=("all", step_id))
        for (step_id, label), policy in zip(LABELS.items(), POLICIES, strict=True)
    },
    NETWORK: own_subject(NETWORK),
    "certificate:mail.example.org": own_subject("certificate:mail.example.org"),
}
TROUBLE = re.compile(r"\b(failing|cannot be checked|problems?|has no network|warning|expiring)\b")
FAILING = re.compile(r"\b(failing|cannot be checked|problems?|has no network|expiring)\b")
RUN = st.tuples(
    st.lists(st.sampled_from(list(Status)), min_size=len(SUBJECTS), max_size=len(SUBJECTS)),
    st.booleans(),
    st.sampled_from([(), (STEP,), ("send:office",)]),
)


@given(st.lists(RUN, min_size=2, max_size=8))
@settings(max_examples=60, deadline=None)
def test_no_title_reads_as_an_all_clear_while_anything_fails(
    histories: list[tuple[list[Status], bool, tuple[str]]],
) -> None:
    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        fake_channels = FakeChannels(patch)
        runs = StoredRuns(Path(directory), fake_channels)
        runs.subjects = SUBJECTS
        for statuses, is_reachable, silenced in histories:
            fake_channels.always["phone"] = None if is_reachable else BROKEN
            before = len(fake_channels.taken)
            found = [outcome(status, step_id) for step_id, status in zip(SUBJECTS, statuses, strict=True)]
            runs.run(*found, silenced=silenced)
            for alert in fake_channels.taken_by("phone")[before:]:
                check(alert, runs)


def check(alert: Alert, runs: StoredRuns) -> None:
    """Assert that a title tells of what fails, and first of what is new."""
    healths = [check_state.health for check_state in runs.state.checks.values()]
    if Health.DOWN in healths or Health.FAILING in healths:
        assert TROUBLE.search(alert.title), alert.title
        ends_only = all(change.after is Health.UP for change in alert.changes)
        assert not ends_only or FAILING.search(alert.title), alert.title
    known = (Health.DOWN, Health.UNKNOWN)
    new = [f for f in alert.changes if f.after is Health.DOWN and f.news is News.CHANGE and f.before not in known]
    if new:
        said = alert.title.partition(": ")[2]
        assert any(said.startswith(change.label) for change in new), alert.title
        assert "still" not in said.partition(" since ")[0], alert.title
