"""Alembic's entry: runs the migrations on the connection that `bentos.log.database` hands over."""

from alembic import context

from bentos.log.tables import METADATA

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=METADATA, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
