"""Where a publication goes beside the published file: PostgreSQL, Parquet, a workbook.

Belongs here: choosing the target that a setting asks for; a module for each kind. Does not belong here: the published
file itself (publishing), and when a target is brought up to date (assets, pipelines).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from resources.catalogue.deployment_models import ExcelSetting, ParquetSetting, PostgresqlSetting, TargetSetting

if TYPE_CHECKING:
    from resources.targets.port import Target


def make_target(setting: TargetSetting, home: Path) -> Target:
    """The target of a setting, not yet connected. Raises KetenError for a setting that cannot be used.

    Imports are inside, so that a deployment loads the libraries of its own targets only.
    """
    match setting:
        case PostgresqlSetting():
            from resources.targets.postgresql.target import PostgresqlTarget

            return PostgresqlTarget(setting)
        case ParquetSetting():
            from resources.targets.parquet import ParquetTarget

            return ParquetTarget(setting.name, setting.place(home), setting.licence)
        case ExcelSetting():
            from resources.targets.excel import ExcelTarget

            return ExcelTarget(setting.name, setting.place(home))
