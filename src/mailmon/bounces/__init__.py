"""Scans of folders with bounces: read, record, move, notify, and what is alarming about the figures.

Nothing is imported here: a run without bounces must load neither SQLite nor the classifier.
"""
