"""Servers that behave as those of certain providers do, on the wire: what no Postfix and no Dovecot shows."""
