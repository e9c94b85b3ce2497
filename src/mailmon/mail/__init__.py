"""Formats and policies of mail, bytes in and values out. Pure."""
