"""What do the texts in DNS say by which a domain protects its mail? Read, never judged; nothing here asks anyone."""
