"""The bounce log: what scans found in the folders with bounces, in a SQLite file (docs/bounce-log.md).

Nothing is imported here: a run that has nothing to do with bounces must not load sqlite3.
"""
