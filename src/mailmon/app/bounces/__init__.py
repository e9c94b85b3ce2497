"""Bounces: messages classified, bounce folders scanned, and the bounce log read.

classify.py  the messages of files, mbox files, Maildirs and folders
scan.py      the bounce folders of accounts
log.py       rows and messages of the log, also as CSV, JSON or XLSX
summary.py   the figures of a period, shown or sent
queue.py     notices about bounces: queued, failed, sent
"""
