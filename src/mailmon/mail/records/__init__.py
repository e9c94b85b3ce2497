"""DNS records by which a domain protects its mail, as values. Parsed, not assessed; no lookups."""
