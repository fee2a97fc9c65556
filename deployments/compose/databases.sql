-- Beside the prediction log's own database: one for MLflow, one for Prefect.
CREATE DATABASE mlflow;
CREATE DATABASE prefect;
