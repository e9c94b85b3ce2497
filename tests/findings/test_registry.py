"""The registries: every id and metric in the code has its row, every row is complete, and nothing else makes them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from mailmon import findings, metrics
from mailmon.findings import Findings, make_finding
from mailmon.findings.registry import GROUPS, UnknownIdError, areas, did_you_mean, entries, unknown_pattern
from mailmon.findings.row import Row, is_meant, sentence
from mailmon.metrics import METRICS, make_metric
from mailmon.model import Severity, Verdict

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "mailmon"
_ID = re.compile(r"[a-z0-9]+\.[a-z0-9_]+")
# Not ids: a key of the configuration, the beginning of ids, and an error that never leaves its module.
_OTHERS = {"bounces.sqlite", "bounces.test", "tls.cert_", "pop3.capa_missing"}
ROWS = [row for group in GROUPS for row in group.rows]
# Words in place of the plain ones: reported, fix, anyone, check.
_ODD = re.compile(r"\b(?:told|tells|mend|whoever|somebody|nobody hears|look into|is well)\b")


@cache
def trees() -> dict[Path, ast.Module]:
    """Return the source, but for the sandbox, which is a mail server."""
    files = [file for file in sorted(SOURCE.rglob("*.py")) if "sandbox" not in file.parts]
    return {file: ast.parse(file.read_text("utf-8")) for file in files}


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Yield all calls with the name of what is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            yield ast.unparse(function), node


@pytest.mark.parametrize(("maker", "name"), [(findings, "Finding"), (metrics, "Metric")])
def test_only_the_registry_makes_findings_and_metrics(maker: object, name: str) -> None:
    own = Path(str(getattr(maker, "__file__", "")))
    assert own in trees()
    made = [
        f"{file.relative_to(SOURCE)}:{call.lineno}"
        for file, tree in trees().items()
        for called, call in calls(tree)
        if file != own and (called in (name, f"{name}._make") or called.endswith((f".{name}", f".{name}._make")))
    ]
    assert made == []


def test_every_id_in_the_code_has_a_row() -> None:
    strings = {
        node.value
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    ids = {one for one in strings if _ID.fullmatch(one) and one.partition(".")[0] in areas()}
    assert len(ids) > 120, "the search for ids has lost its way"
    assert sorted(ids - entries().keys() - _OTHERS) == []


def test_every_problem_that_a_client_reports_has_a_row() -> None:
    """The ids of a conversation are made of its protocol and a problem: a parameter of that name, in clients/."""
    clients = {file: tree for file, tree in trees().items() if "clients" in file.parts}
    places = {
        (node.name, [one.arg for one in node.args.args if one.arg != "self"].index("problem"))
        for tree in clients.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and any(one.arg == "problem" for one in node.args.args)
    }
    assert len(places) > 5, "the search for problems has lost its way"
    problems = {
        (file.name, str(value.value))
        for file, tree in clients.items()
        for called, call in calls(tree)
        for name, at in places
        for value in call.args[at : at + 1]
        if called.rpartition(".")[2] == name and isinstance(value, ast.Constant) and str(value.value).islower()
    }
    assert len(problems) > 15
    known = {one.partition(".")[2] for one in entries()} | {"capa_missing"}
    assert sorted(f"{file}: {one}" for file, one in problems if one.rpartition(".")[2] not in known) == []


def test_every_id_in_the_expectations_of_tests_exists() -> None:
    texts = [file.read_text("utf-8") for file in sorted((ROOT / "tests").rglob("*.py")) if file != Path(__file__)]
    quoted = {one for text in texts for one in re.findall(r'"([a-z0-9]+\.[a-z0-9_]+)"', text)}
    problems = {one.partition(".")[2] for one in entries()}
    # Of an area with this problem, so that host names, files and keys of the configuration do not count.
    meant = {one for one in quoted if one.partition(".")[2] in problems and one.partition(".")[0] in areas()}
    assert len(meant) > 100
    assert sorted(meant - entries().keys()) == []


@pytest.mark.parametrize("row", ROWS, ids=[row.id for row in ROWS])
def test_every_row_is_complete(row: Row) -> None:
    assert all(_ID.fullmatch(one) for one in row.ids())
    assert re.fullmatch(r"[A-Z8].{3,60}[^.]", row.title)
    assert re.fullmatch(r"[A-Z8`].*\.", row.meaning, re.DOTALL)
    assert row.fix
    assert "\n" not in row.fix
    assert not row.reference or re.match(r"(?:RFC \d+|CVE-\d+-\d+)", row.reference)
    assert not row.varies.endswith(".")
    for text in (row.title, row.meaning, row.varies):
        assert not _ODD.search(text), text


def test_each_id_is_in_one_row_only() -> None:
    ids = [one for row in ROWS for one in row.ids()]
    assert len(ids) == len(set(ids)) == len(entries())


def test_each_group_says_which_commands_report_it() -> None:
    assert {name for group in GROUPS for name in group.commands} == {"check", "diagnose", "dns"}


def test_an_id_without_a_row_makes_no_finding() -> None:
    with pytest.raises(UnknownIdError, match=r"tls\.cert_expird"):
        make_finding("tls.cert_expird", Verdict.PASS, "mail.example.org:25", "it has")
    with pytest.raises(UnknownIdError):
        Findings("mail.example.org:25").passed("tls.nonsense", "it has")


def test_a_failure_has_what_the_row_says_unless_given() -> None:
    made = make_finding("spf.ptr", Verdict.FAIL, "example.org", "it has ptr")
    row = entries()["spf.ptr"].row
    assert (made.severity, made.fix, made.reference) == (row.severity, row.fix, row.reference)
    other = make_finding("spf.ptr", Verdict.FAIL, "example.org", "it has ptr", Severity.INFO, fix="Do without.")
    assert (other.severity, other.fix, other.reference) == (Severity.INFO, "Do without.", row.reference)
    assert make_finding("spf.ptr", Verdict.FAIL, "example.org", "it has ptr", fix="").fix == ""


@pytest.mark.parametrize("status", [Verdict.PASS, Verdict.SKIPPED, Verdict.UNKNOWN])
def test_what_does_not_fail_has_no_severity_and_no_fix(status: Verdict) -> None:
    made = make_finding("spf.ptr", status, "example.org", "no ptr")
    assert (made.severity, made.fix, made.reference) == (None, "", "")


def test_what_is_never_a_failure_has_its_fix_where_it_is_unknown() -> None:
    made = make_finding("dns.unknown", Verdict.UNKNOWN, "example.org", "no answer")
    assert (made.severity, made.fix) == (None, entries()["dns.unknown"].row.fix)


def test_a_mistyped_id_is_answered_with_those_that_are_near() -> None:
    assert did_you_mean("tls.cert_expird").startswith("; did you mean tls.cert_expired or ")
    assert did_you_mean("zzzz") == ""
    assert unknown_pattern(["tls", "tls.*", "tls.cert_name"]) == ""
    assert unknown_pattern(["tls", "tsl"]).startswith("there is no finding 'tsl'; did you mean tls?; areas: bounces, ")
    assert is_meant("tls.cert_name", ["tls"])
    assert not is_meant("tlsrpt.none", ["tls"])


def test_a_sentence_begins_with_a_capital_letter_and_ends_once() -> None:
    assert [sentence(row.fix)[0].isupper() or sentence(row.fix)[0] == "`" for row in ROWS] == [True] * len(ROWS)
    assert [row.fix for row in ROWS if sentence(row.fix).endswith("..")] == []


def test_a_metric_comes_from_its_registry() -> None:
    assert make_metric("delivery_s", 2.1) == ("delivery_s", 2.1)
    with pytest.raises(KeyError):
        make_metric("delivery_h", 2.1)


def test_no_two_metrics_have_one_name() -> None:
    with pytest.raises(ValueError, match="there is a metric answer_s already, of http"):
        metrics.add_metric(metrics.MetricRow("answer_s", "seconds", "mailmon_x_seconds", ("port",), "Time."))


def test_every_metric_in_the_code_has_a_row() -> None:
    names = {
        call.args[0].value
        for tree in trees().values()
        for called, call in calls(tree)
        if called == "make_metric" and isinstance(call.args[0], ast.Constant)
    }
    assert len(names) > 5
    assert names <= METRICS.keys()
    from mailmon.mail.postqueue import QUEUES

    assert METRICS.keys() - names == set(QUEUES)


@pytest.mark.parametrize("row", METRICS.values(), ids=lambda row: row.name)
def test_a_metric_has_a_name_for_prometheus_in_base_units(row: metrics.MetricRow) -> None:
    assert re.fullmatch(r"mailmon_[a-z0-9]+(?:_[a-z0-9]+)*_(?:seconds|bytes|ratio|messages|bounces)", row.exported)
    assert re.fullmatch(r"[A-Z].*\.", row.help)
    units = {"days": ("seconds", 86400.0), "percent": ("ratio", 0.01)}
    ending, factor = units.get(row.unit, (row.unit, 1.0))
    assert row.exported.endswith(f"_{ending}") or row.name == "bounces"
    assert row.factor == factor
    assert len({one.exported for one in METRICS.values()}) == len(METRICS)
