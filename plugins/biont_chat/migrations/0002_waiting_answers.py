"""Table of questions whose answers wait for the approval of a tool call."""

_STATEMENT = """
CREATE TABLE chat_waiting_answers (
    id INTEGER NOT NULL PRIMARY KEY,
    question_id INTEGER NOT NULL REFERENCES chat_messages (id) ON DELETE CASCADE,
    agent_run_id INTEGER NOT NULL UNIQUE,
    key_id INTEGER
)
"""


def up(migrator, db):
    db.execute_sql(_STATEMENT)
