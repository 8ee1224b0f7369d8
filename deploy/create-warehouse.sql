-- Runs once, when the database server of compose.yaml is first started: what BI reads stands apart from Dagster's records.
create database warehouse;
