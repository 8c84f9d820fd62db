"""Tables of conversations and messages, and the full-text index."""

_TABLES = """
CREATE TABLE conversations (
    id INTEGER NOT NULL PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title TEXT NOT NULL,
    system TEXT,
    model TEXT,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX conversations_user ON conversations (user_id, id);
CREATE TABLE chat_messages (
    id INTEGER NOT NULL PRIMARY KEY,
    conversation_id INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    role TEXT NOT NULL,
    content TEXT NOT NULL,
    model TEXT,
    backend TEXT,
    prompt_tokens INTEGER,
    completion_tokens INTEGER,
    tokens_estimated INTEGER NOT NULL DEFAULT 0,
    interrupted INTEGER NOT NULL DEFAULT 0,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX chat_messages_conversation ON chat_messages (conversation_id, id);
CREATE VIRTUAL TABLE chat_messages_text USING fts5(
    content, content = 'chat_messages', content_rowid = 'id',
    tokenize = 'unicode61 remove_diacritics 2'
);
"""
_TRIGGERS = """
CREATE TRIGGER chat_messages_text_added AFTER INSERT ON chat_messages BEGIN
    INSERT INTO chat_messages_text (rowid, content) VALUES (new.id, new.content);
END
--
CREATE TRIGGER chat_messages_text_deleted AFTER DELETE ON chat_messages BEGIN
    INSERT INTO chat_messages_text (chat_messages_text, rowid, content)
    VALUES ('delete', old.id, old.content);
END
"""


def up(migrator, db):
    for statement in (*_TABLES.split(";\n"), *_TRIGGERS.split("--\n")):
        if statement.strip():
            db.execute_sql(statement)
