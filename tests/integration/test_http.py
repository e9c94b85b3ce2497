"""Web pages that answer wrongly, late or not at all, and the days left of their certificates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from mailmon.sandbox.receiver import Receiver
from tests.domain.web import Page, web
from tests.embedded import kinds
from tests.monitor import Monitor

PAGES = {
    "/": Page("<title>Webmail</title>", kind="text/html"),
    "/old": Page("", 301, location="https://localhost/"),
    "/slow": Page("late", slow_s=3.0),
}


class Site:
    """A web server on loopback with a certificate of its own CA."""

    def __init__(self, port: int, ca_file: Path) -> None:
        self.port, self.ca_file = port, ca_file

    def page(self, path: str = "/", **more: object) -> dict[str, object]:
        url = f"https://localhost:{self.port}{path}"
        return {"url": url, "ca_file": str(self.ca_file), "timeout_s": 1, **more}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    ca = trustme.CA()
    leaf = ca.issue_cert("localhost")
    (tmp_path / "web.crt").write_bytes(b"".join(pem.bytes() for pem in leaf.cert_chain_pems))
    leaf.private_key_pem.write_to_path(str(tmp_path / "web.key"))
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with web(PAGES, tmp_path / "web.crt") as port:
        yield Site(port, tmp_path / "ca.pem")


def watching(monitor: Monitor, page: dict[str, object], **more: object) -> Monitor:
    monitor.config["checks"]["http"] = {"pages": {"webmail": page}, **more}
    return monitor


def test_a_page_that_is_right_has_its_time_and_its_certificate_is_seen(monitor: Monitor, site: Site) -> None:
    page = site.page(contains="Webmail", headers={"Content-Type": "text/html"})
    run = watching(monitor, page).check()
    step = run.step("http:webmail")
    assert (run.exit_code, step["status"], step["message"]) == (0, "ok", "OK (200)"), run.stdout
    assert step["metrics"]["certificate_days"] > 30
    assert 0 < step["metrics"]["answer_s"] < 1


@pytest.mark.parametrize(
    ("path", "more", "finding_id", "words"),
    [
        ("/gone", {}, "http.status", "answered 404, not 200"),
        ("/old", {}, "http.status", "answered 301, not 200"),
        ("/", {"contains": "Roundcube"}, "http.content", "does not contain 'Roundcube'"),
        ("/", {"headers": {"X-Frame-Options": "DENY"}}, "http.header", "does not contain 'DENY'"),
        ("/slow", {}, "http.timeout", "no answer from localhost within 1 s"),
    ],
)
def test_a_page_that_is_not_right_is_told(
    monitor: Monitor, site: Site, path: str, more: dict[str, object], finding_id: str, words: str
) -> None:
    step = watching(monitor, site.page(path, **more)).check().step("http:webmail")
    assert [one["id"] for one in step["findings"]] == [finding_id]
    assert words in step["message"]


def test_a_redirect_may_be_what_is_expected(monitor: Monitor, site: Site) -> None:
    page = site.page("/old", status=[301], headers={"Location": "https://localhost/"})
    assert watching(monitor, page).check().step("http:webmail")["status"] == "ok"


def test_a_certificate_that_nobody_trusts_is_told(monitor: Monitor, site: Site) -> None:
    page = site.page()
    del page["ca_file"]
    step = watching(monitor, page).check().step("http:webmail")
    assert [one["id"] for one in step["findings"]] == ["http.unreachable"]
    assert "certificate" in step["message"]


def test_a_page_that_is_not_there_is_told_at_the_second_time(monitor: Monitor, site: Site, receiver: Receiver) -> None:
    del monitor.config["checks"]["defaults"]
    watching(monitor, {"url": "http://127.0.0.1:9/", "timeout_s": 1})
    assert monitor.check().step("http:webmail")["findings"][0]["id"] == "http.unreachable"
    assert kinds(receiver) == []
    monitor.check()
    assert kinds(receiver) == ["problem"]
