-- Written by `python -m deployments.tables` from the migrations.
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS alembic_version (
  version_num VARCHAR(32) NOT NULL,
  CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
CREATE TABLE IF NOT EXISTS predictions (
  sequence INTEGER NOT NULL,
  id VARCHAR(64) NOT NULL,
  problem VARCHAR(64) NOT NULL,
  model_version VARCHAR(64) NOT NULL,
  answered_at DATETIME NOT NULL,
  inputs TEXT,
  prediction INTEGER NOT NULL,
  label VARCHAR(128) NOT NULL,
  probabilities TEXT NOT NULL,
  confidence DOUBLE NOT NULL,
  risk_level VARCHAR(16),
  PRIMARY KEY (sequence),
  UNIQUE (id)
);
CREATE INDEX IF NOT EXISTS predictions_by_problem ON predictions (problem, sequence);
CREATE INDEX IF NOT EXISTS predictions_by_time ON predictions (answered_at);
CREATE TABLE IF NOT EXISTS labels (
  sequence INTEGER NOT NULL,
  prediction_id VARCHAR(64) NOT NULL,
  problem VARCHAR(64) NOT NULL,
  label VARCHAR(128) NOT NULL,
  received_at DATETIME NOT NULL, part VARCHAR(64),
  PRIMARY KEY (sequence),
  UNIQUE (prediction_id)
);
CREATE INDEX IF NOT EXISTS labels_by_problem ON labels (problem, sequence);
CREATE TABLE IF NOT EXISTS verdicts (
  sequence INTEGER NOT NULL,
  "key" VARCHAR(64) NOT NULL,
  problem VARCHAR(64) NOT NULL,
  model_version VARCHAR(64) NOT NULL,
  verdict VARCHAR(32) NOT NULL,
  reasons TEXT NOT NULL,
  evidence TEXT NOT NULL,
  report_sha256 VARCHAR(64) NOT NULL,
  report TEXT NOT NULL,
  first_prediction BIGINT NOT NULL,
  last_prediction BIGINT NOT NULL,
  decided_at DATETIME NOT NULL,
  PRIMARY KEY (sequence),
  UNIQUE ("key")
);
CREATE INDEX IF NOT EXISTS verdicts_by_problem ON verdicts (problem, sequence);
CREATE TABLE IF NOT EXISTS orders (
  sequence INTEGER NOT NULL,
  "key" VARCHAR(128) NOT NULL,
  problem VARCHAR(64) NOT NULL,
  kind VARCHAR(16) NOT NULL,
  state VARCHAR(16) NOT NULL,
  claimed_by VARCHAR(64),
  changed_at DATETIME NOT NULL,
  PRIMARY KEY (sequence),
  UNIQUE ("key")
);
CREATE INDEX IF NOT EXISTS orders_by_state ON orders (state, sequence);
CREATE TABLE IF NOT EXISTS journal (
  problem VARCHAR(64) NOT NULL,
  number BIGINT NOT NULL,
  at VARCHAR(40) NOT NULL,
  actor VARCHAR(128) NOT NULL,
  alias VARCHAR(32) NOT NULL,
  "before" VARCHAR(32),
  "after" VARCHAR(32),
  why TEXT NOT NULL,
  evidence_sha256 VARCHAR(64) NOT NULL,
  previous_sha256 VARCHAR(64) NOT NULL,
  sha256 VARCHAR(64) NOT NULL, onnx_sha256 VARCHAR(64), contract_sha256 VARCHAR(64), served_sha256 VARCHAR(64),
  PRIMARY KEY (problem, number)
);
CREATE TABLE IF NOT EXISTS refusals (
  sequence INTEGER NOT NULL,
  id VARCHAR(64) NOT NULL,
  problem VARCHAR(64) NOT NULL,
  model_version VARCHAR(64) NOT NULL,
  at DATETIME NOT NULL,
  field TEXT NOT NULL,
  kind VARCHAR(32) NOT NULL,
  count BIGINT NOT NULL,
  PRIMARY KEY (sequence),
  UNIQUE (id)
);
CREATE INDEX IF NOT EXISTS refusals_by_problem ON refusals (problem, sequence);
CREATE TABLE IF NOT EXISTS releases (
  sequence INTEGER NOT NULL,
  verdict_key VARCHAR(64) NOT NULL,
  problem VARCHAR(64) NOT NULL,
  decision VARCHAR(16) NOT NULL,
  actor VARCHAR(128) NOT NULL,
  at DATETIME NOT NULL,
  PRIMARY KEY (sequence),
  UNIQUE (verdict_key)
);
CREATE INDEX IF NOT EXISTS releases_by_problem ON releases (problem, sequence);
CREATE TABLE IF NOT EXISTS failures (
  sequence INTEGER NOT NULL,
  order_key VARCHAR(128) NOT NULL,
  run_id VARCHAR(64) NOT NULL,
  at DATETIME NOT NULL,
  PRIMARY KEY (sequence)
);
CREATE INDEX IF NOT EXISTS failures_by_order ON failures (order_key, sequence);
CREATE TABLE IF NOT EXISTS parts (
  sequence INTEGER NOT NULL,
  id VARCHAR(64) NOT NULL,
  batch VARCHAR(32) NOT NULL,
  first_row BIGINT NOT NULL,
  end_row BIGINT NOT NULL,
  rows_answered BIGINT NOT NULL,
  left_out TEXT NOT NULL,
  sha256 VARCHAR(64),
  is_kept BOOLEAN NOT NULL,
  PRIMARY KEY (sequence),
  UNIQUE (id)
);
CREATE INDEX IF NOT EXISTS parts_by_batch ON parts (batch, first_row);
CREATE TABLE IF NOT EXISTS trials (
  sequence INTEGER NOT NULL,
  "key" VARCHAR(64) NOT NULL,
  problem VARCHAR(64) NOT NULL,
  version VARCHAR(64) NOT NULL,
  champion VARCHAR(64) NOT NULL,
  declared TEXT NOT NULL,
  state TEXT NOT NULL,
  last_prediction BIGINT NOT NULL,
  started_at DATETIME NOT NULL,
  ended_at DATETIME,
  outcome VARCHAR(16),
  reason TEXT,
  PRIMARY KEY (sequence),
  UNIQUE ("key")
);
CREATE INDEX IF NOT EXISTS trials_by_problem ON trials (problem, sequence);
DELETE FROM alembic_version;
INSERT INTO alembic_version VALUES ('0007');
COMMIT;
