"""The database's tables: predictions, labels, refusals, and the verdicts of monitoring.

Every table has a sequence that the database itself counts, so that order never rests on a clock.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.dialects import mysql

ACTOR_LETTERS = 128
METADATA = MetaData()

Sequence = BigInteger().with_variant(Integer, "sqlite")
Moment = DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
LongText = Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")

PREDICTIONS = Table(
    "predictions",
    METADATA,
    Column("sequence", Sequence, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("problem", String(64), nullable=False),
    Column("model_version", String(64), nullable=False),
    Column("answered_at", Moment, nullable=False),
    Column("inputs", LongText, nullable=True),  # a JSON object; None once retention has purged it
    Column("prediction", Integer, nullable=False),
    Column("label", String(128), nullable=False),
    Column("probabilities", Text, nullable=False),  # a JSON list in class order
    Column("confidence", Double, nullable=False),
    Column("risk_level", String(16), nullable=True),
    Index("predictions_by_problem", "problem", "sequence"),
    Index("predictions_by_time", "answered_at"),
)

LABELS = Table(
    "labels",
    METADATA,
    Column("sequence", Sequence, primary_key=True, autoincrement=True),
    Column("prediction_id", String(64), nullable=False, unique=True),
    Column("problem", String(64), nullable=False),
    Column("label", String(128), nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("part", String(64), nullable=True),  # that holds the prediction, where one does
    Index("labels_by_problem", "problem", "sequence"),
)

# Predictions that lie in the store: a file of a batch, and its place, which is the row of
# `predictions` with its id.
PARTS = Table(
    "parts",
    METADATA,
    Column("sequence", Sequence, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("batch", String(32), nullable=False),
    Column("first_row", BigInteger, nullable=False),  # of the source
    Column("end_row", BigInteger, nullable=False),  # the one after the last
    Column("rows_answered", BigInteger, nullable=False),
    Column("left_out", LongText, nullable=False),  # a JSON list of rows that were refused
    Column("sha256", String(64), nullable=True),  # of the file; None once it has been removed
    Column("is_kept", Boolean, nullable=False),  # no longer once retention has begun to remove it
    Index("parts_by_batch", "batch", "first_row"),
)

# How many records a contract refused; rows of the kind `record` count each record once.
REFUSALS = Table(
    "refusals",
    METADATA,
    Column("sequence", Sequence, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("problem", String(64), nullable=False),
    Column("model_version", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Column("field", Text, nullable=False),  # one of the contract's, or ""
    Column("kind", String(32), nullable=False),
    Column("count", BigInteger, nullable=False),
    Index("refusals_by_problem", "problem", "sequence"),
)

VERDICTS = Table(
    "verdicts",
    METADATA,
    Column("sequence", Sequence, primary_key=True, autoincrement=True),
    Column("key", String(64), nullable=False, unique=True),  # the same evidence gives the same key
    Column("problem", String(64), nullable=False),
    Column("model_version", String(64), nullable=False),
    Column("verdict", String(32), nullable=False),
    Column("reasons", LongText, nullable=False),  # a JSON list
    Column("evidence", LongText, nullable=False),  # a JSON object
    Column("report_sha256", String(64), nullable=False),
    Column("report", Text, nullable=False),
    Column("first_prediction", BigInteger, nullable=False),
    Column("last_prediction", BigInteger, nullable=False),
    Column("decided_at", Moment, nullable=False),
    Index("verdicts_by_problem", "problem", "sequence"),
)

# What has been decided and must be done exactly once; an event is only its doorbell.
ORDERS = Table(
    "orders",
    METADATA,
    Column("sequence", Sequence, primary_key=True, autoincrement=True),
    Column("key", String(128), nullable=False, unique=True),
    Column("problem", String(64), nullable=False),
    Column("kind", String(16), nullable=False),  # monitor or train
    Column("state", String(16), nullable=False),  # open, claimed, done, failed or told
    Column("claimed_by", String(64), nullable=True),
    Column("changed_at", Moment, nullable=False),
    Index("orders_by_state", "state", "sequence"),
)

# An attempt at an order that failed: the next one waits, and after some a person has to look.
FAILURES = Table(
    "failures",
    METADATA,
    Column("sequence", Sequence, primary_key=True, autoincrement=True),
    Column("order_key", String(128), nullable=False),
    Column("run_id", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Index("failures_by_order", "order_key", "sequence"),
)

# What a person decided of rows that a verdict has set aside: they teach once they are released.
RELEASES = Table(
    "releases",
    METADATA,
    Column("sequence", Sequence, primary_key=True, autoincrement=True),
    Column("verdict_key", String(64), nullable=False, unique=True),
    Column("problem", String(64), nullable=False),
    Column("decision", String(16), nullable=False),  # released or dropped
    Column("actor", String(ACTOR_LETTERS), nullable=False),
    Column("at", Moment, nullable=False),
    Index("releases_by_problem", "problem", "sequence"),
)

# An A/B trial: what was declared of it, what it has shown so far, and how it ended.
TRIALS = Table(
    "trials",
    METADATA,
    Column("sequence", Sequence, primary_key=True, autoincrement=True),
    Column(
        "key", String(64), nullable=False, unique=True
    ),  # hash of the journal's row of its start
    Column("problem", String(64), nullable=False),
    Column("version", String(64), nullable=False),  # of the contender
    Column("champion", String(64), nullable=False),
    Column("declared", Text, nullable=False),  # a JSON object
    Column("state", LongText, nullable=False),  # a JSON object
    Column("last_prediction", BigInteger, nullable=False),  # before it began
    Column("started_at", Moment, nullable=False),
    Column("ended_at", Moment, nullable=True),
    Column("outcome", String(16), nullable=True),
    Column("reason", LongText, nullable=True),
    Index("trials_by_problem", "problem", "sequence"),
)

# Append-only and hash-chained: every change of an alias, with its evidence.
JOURNAL = Table(
    "journal",
    METADATA,
    Column("problem", String(64), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", String(40), nullable=False),
    Column("actor", String(ACTOR_LETTERS), nullable=False),
    Column("alias", String(32), nullable=False),
    Column("before", String(32), nullable=True),
    Column("after", String(32), nullable=True),
    Column("why", LongText, nullable=False),
    Column("evidence_sha256", String(64), nullable=False),
    Column("previous_sha256", String(64), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("onnx_sha256", String(64), nullable=True),  # of the version that gets the alias
    Column("contract_sha256", String(64), nullable=True),
    Column("served_sha256", String(64), nullable=True),
)
