"""SQLite files beside the state file: opened under a lock, checked, migrated, and set aside where they are damaged.

Nothing is imported here: a run without a database must not load sqlite3.
"""
