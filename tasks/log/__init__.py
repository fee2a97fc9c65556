"""The prediction log's tables: predictions, labels, refusals, verdicts, orders, the journal."""
