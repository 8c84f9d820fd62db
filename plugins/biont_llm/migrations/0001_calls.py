"""Table of recorded LLM calls."""

_SCRIPT = """
CREATE TABLE llm_calls (
    id INTEGER NOT NULL PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    key_id INTEGER,
    schedule_id INTEGER,
    run_id INTEGER,
    conversation_id INTEGER,
    mission_id INTEGER,
    day TEXT NOT NULL,
    backend TEXT NOT NULL,
    model TEXT NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    estimated INTEGER NOT NULL,
    cost REAL,
    duration REAL NOT NULL,
    error TEXT,
    prompt TEXT,
    answer TEXT,
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX llm_calls_user ON llm_calls (user_id, day);
CREATE INDEX llm_calls_key ON llm_calls (key_id, day) WHERE key_id IS NOT NULL;
CREATE INDEX llm_calls_schedule ON llm_calls (schedule_id, day) WHERE schedule_id IS NOT NULL;
CREATE INDEX llm_calls_created ON llm_calls (created_at);
"""


def up(migrator, db):
    for statement in _SCRIPT.split(";\n"):
        if statement.strip():
            db.execute_sql(statement)
