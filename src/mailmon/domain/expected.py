"""What should stand in DNS where nothing stands yet: values that can be copied. Pure."""

from __future__ import annotations

from collections.abc import Sequence

POLICY_HOST = "web server of the MTA-STS policy"


def policy_file(hosts: Sequence[str]) -> str:
    """Return an MTA-STS policy to begin with (RFC 8461 section 3.2)."""
    lines = ["version: STSv1", "mode: testing", *(f"mx: {host}" for host in hosts), "max_age: 604800"]
    return "\n".join(lines)


def service_records(domain: str, host: str) -> tuple[tuple[str, str], ...]:
    """Return the names and values of the SRV records by which clients find their servers (RFC 6186, RFC 8314)."""
    return (
        (f"_imaps._tcp.{domain}", f"0 1 993 {host}"),
        (f"_submissions._tcp.{domain}", f"0 1 465 {host}"),
        (f"_submission._tcp.{domain}", f"0 1 587 {host}"),
    )
