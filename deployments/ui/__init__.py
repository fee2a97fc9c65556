"""The page for people: who asks the model, and who looks after it.

It talks HTTP to the service, to Prefect and to the reports, and touches nothing else.
"""
