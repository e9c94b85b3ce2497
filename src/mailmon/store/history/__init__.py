"""What was seen in the folders with bounces? A SQLite database beside the state file (docs/history.md).

Nothing is imported here: a run that has nothing to do with bounces must not load sqlite3.
"""
