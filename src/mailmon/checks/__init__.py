"""The registry of checks: a new check is a file with a CHECK in it and a line here.

The line has the check's name and the key of the configuration that brings it into use. A run imports no other check.
"""

from mailmon.checks.registry import CheckRegistry

CHECKS = CheckRegistry()
# In the order in which they run and are reported.
CHECKS.add("imap_auth", "accounts.*.imap")
CHECKS.add("pop3_auth", "accounts.*.pop3")
CHECKS.add("smtp_auth", "accounts.*.smtp")
CHECKS.add("wrong_password", "accounts.*.wrong_password_interval")
CHECKS.add("bounces", "accounts.*.bounces")
CHECKS.add("send", "routes.*")
CHECKS.add("receive", "routes.*")
CHECKS.add("cleanup", "routes.*")
CHECKS.add("diagnose", "checks.diagnose.hosts")
CHECKS.add("dnsbl", "checks.dnsbl.hosts")
CHECKS.add("dns", "checks.dns.domains")
CHECKS.add("http", "checks.http.pages")
CHECKS.add("queue", "checks.queue.instances")
CHECKS.add("certificate_file", "checks.certificate_file.files")
