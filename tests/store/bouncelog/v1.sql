-- A history as layout 1 wrote it: the layout and a few rows. Later versions must be able to take it over.
PRAGMA application_id = 1835886697;
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE folders (
    id INTEGER PRIMARY KEY, account TEXT NOT NULL, folder TEXT NOT NULL, uidvalidity INTEGER NOT NULL,
    last_uid INTEGER NOT NULL, scanned_at TEXT NOT NULL, UNIQUE (account, folder)
);
CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT, folder_id INTEGER NOT NULL REFERENCES folders (id),
    uidvalidity INTEGER NOT NULL, uid INTEGER, message_id TEXT NOT NULL, digest BLOB NOT NULL,
    received_at TEXT NOT NULL, seen_at TEXT NOT NULL, run_id TEXT NOT NULL, kind TEXT NOT NULL, form TEXT NOT NULL,
    feedback_type TEXT NOT NULL, original_message_id TEXT NOT NULL, original_subject TEXT NOT NULL,
    original_from TEXT NOT NULL, original_to TEXT NOT NULL, original_cc TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('processed', 'skipped', 'problem')), problem TEXT NOT NULL,
    UNIQUE (folder_id, uidvalidity, uid)
);
CREATE INDEX messages_by_digest ON messages (folder_id, digest);
CREATE INDEX messages_by_received_at ON messages (received_at);
CREATE INDEX messages_by_seen_at ON messages (seen_at);
CREATE TABLE recipients (
    id INTEGER PRIMARY KEY, message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    address TEXT NOT NULL, domain TEXT NOT NULL, status TEXT NOT NULL, action TEXT NOT NULL, reason TEXT NOT NULL,
    is_hard INTEGER NOT NULL CHECK (is_hard IN (0, 1)), diagnostic TEXT NOT NULL, reporting_mta TEXT NOT NULL,
    remote_mta TEXT NOT NULL
);
CREATE INDEX recipients_by_message ON recipients (message_id);
INSERT INTO meta VALUES ('checked_at', '2026-03-01T11:00:00.000Z');
INSERT INTO folders VALUES (1, 'main', 'INBOX', 7, 2, '2026-03-01T11:00:00.000Z');
INSERT INTO messages VALUES (
    1, 1, 7, 1, '<a@example.net>', x'00', '2026-03-01T10:00:00.000Z', '2026-03-01T11:00:00.000Z', 'run-0', 'bounce', 'dsn',
    '', '<1@example.net>', 'Your order', 'shop@example.net', '["bob@example.org"]', '[]', 'processed', ''
);
INSERT INTO messages VALUES (
    2, 1, 7, 2, '<b@example.net>', x'01', '2026-03-01T10:30:00.000Z', '2026-03-01T11:00:00.000Z', 'run-0', 'feedback',
    'arf', 'abuse', '', '', '', '[]', '[]', 'processed', ''
);
INSERT INTO recipients VALUES (
    1, 1, 'bob@example.org', 'example.org', '5.1.1', 'failed', 'userunknown', 1, '550 no', '', 'mx.example.org'
);
PRAGMA user_version = 1;
