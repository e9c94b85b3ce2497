"""Formats and policies: bytes and records in, values out. Nothing here touches the world."""
