"""What a run imports on its way, imported once by the server that processes of the tests are forked from.

Belongs here: imports that the product makes where it needs them, and that cost. Does not belong here: anything that opens
a file, starts a thread or looks at the terminal (pipelines.report), which a forked process would share.
"""

# ruff: noqa: F401

import gc

import alembic.command
import dagster._core.execution.execute_in_process
import dagster._core.storage.event_log.sqlite
import dagster._core.storage.legacy_storage
import dagster._core.storage.local_compute_log_manager
import dagster._core.storage.runs.sqlite
import dagster._core.storage.schedules.sqlite
import dagster._daemon.asset_daemon
import duckdb_sqlalchemy
import great_expectations.expectations
import holidays.countries.netherlands
import psycopg
import pyarrow.dataset
import rich.progress
import rich.table
import rich.traceback
import sqlglot.dialects.duckdb
import sqlglot.optimizer.qualify

import pipelines.cli
import pipelines.definitions
import pipelines.event_log
import pipelines.instance

# A process lives for one command. What was imported is no garbage, and looking through it time and again is dear.
gc.freeze()
gc.set_threshold(50_000, 20, 100)
