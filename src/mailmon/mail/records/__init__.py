"""DNS records by which a domain protects its mail, as values. Read, never judged; no lookups."""
