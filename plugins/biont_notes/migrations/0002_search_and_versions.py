"""Tags, earlier versions, full-text search, and where a note came from."""

_SCRIPT = """
ALTER TABLE notes ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
ALTER TABLE notes ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
ALTER TABLE notes ADD COLUMN source_url TEXT;

CREATE TABLE note_versions (
    id INTEGER NOT NULL PRIMARY KEY,
    note_id INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    title TEXT NOT NULL,
    content TEXT NOT NULL,
    tags TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    UNIQUE (note_id, version)
);

-- What follows is derived from notes, and the database keeps it so.
CREATE TABLE note_tags (
    tag TEXT NOT NULL,
    note_id INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    PRIMARY KEY (tag, note_id)
) WITHOUT ROWID;
CREATE INDEX note_tags_note ON note_tags (note_id);
CREATE VIRTUAL TABLE notes_text USING fts5(
    title, content, content = 'notes', content_rowid = 'id',
    tokenize = 'unicode61 remove_diacritics 2'
);
INSERT INTO notes_text (notes_text) VALUES ('rebuild');
"""
_TRIGGERS = """
CREATE TRIGGER note_tags_added AFTER INSERT ON notes BEGIN
    INSERT INTO note_tags (tag, note_id) SELECT value, new.id FROM json_each(new.tags);
END
--
CREATE TRIGGER note_tags_changed AFTER UPDATE OF tags ON notes BEGIN
    DELETE FROM note_tags WHERE note_id = old.id;
    INSERT INTO note_tags (tag, note_id) SELECT value, new.id FROM json_each(new.tags);
END
--
CREATE TRIGGER notes_text_added AFTER INSERT ON notes BEGIN
    INSERT INTO notes_text (rowid, title, content) VALUES (new.id, new.title, new.content);
END
--
CREATE TRIGGER notes_text_deleted AFTER DELETE ON notes BEGIN
    INSERT INTO notes_text (notes_text, rowid, title, content)
    VALUES ('delete', old.id, old.title, old.content);
END
--
CREATE TRIGGER notes_text_changed AFTER UPDATE OF title, content ON notes BEGIN
    INSERT INTO notes_text (notes_text, rowid, title, content)
    VALUES ('delete', old.id, old.title, old.content);
    INSERT INTO notes_text (rowid, title, content) VALUES (new.id, new.title, new.content);
END
"""


def up(migrator, db):
    for statement in (*_SCRIPT.split(";\n"), *_TRIGGERS.split("--\n")):
        if statement.strip():
            db.execute_sql(statement)
