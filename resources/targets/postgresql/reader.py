"""The role that BI tools log in with: it reads, and within one transaction it sees one publication.

Belongs here: the role, its defaults and its rights. Does not belong here: its password, which an administrator gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg

    from resources.targets.postgresql.layout import Place

_DEFAULTS = {"default_transaction_read_only": "on", "default_transaction_isolation": "repeatable read"}


def let_read(pg: psycopg.Connection, place: Place, role: str, views: Sequence[str]) -> tuple[str, ...]:
    """Make the role and give it its defaults and rights, where they lack; returns what an administrator still has to run.

    Rights on what is made later come by default privileges.
    """
    wanted = [
        *_role(pg, role),
        *_rights(pg, place, role, views),
    ]
    refused = [statement for statement in wanted if not _done(pg, statement)]
    if not refused:
        return ()
    return (f"role {role} is not complete; let an administrator run: {'; '.join(refused)}",)


def _role(pg: psycopg.Connection, role: str) -> list[str]:
    database = pg.info.dbname
    if not pg.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone():
        known: set[str] = set()
        create = [f'create role "{role}" login']
    else:
        rows = pg.execute(
            "select unnest(s.setconfig) from pg_db_role_setting s join pg_roles r on r.oid = s.setrole"
            " left join pg_database d on d.oid = s.setdatabase"
            " where r.rolname = %s and (s.setdatabase = 0 or d.datname = current_database())",
            [role],
        ).fetchall()
        known, create = {text for (text,) in rows}, []
    lacking = {name: value for name, value in _DEFAULTS.items() if f"{name}={value}" not in known}
    return create + [
        f'alter role "{role}" in database "{database}" set {name} = \'{value}\'' for name, value in lacking.items()
    ]


def _rights(pg: psycopg.Connection, place: Place, role: str, views: Sequence[str]) -> list[str]:
    found = []
    if not _has(
        pg, "select has_schema_privilege(r.oid, %s, 'usage') from pg_roles r where r.rolname = %s", place.schema, role
    ):
        found.append(f'grant usage on schema "{place.schema}" to "{role}"')
    by_default = (
        "select true from pg_default_acl d join pg_namespace n on n.oid = d.defaclnamespace, aclexplode(d.defaclacl) a"
        " join pg_roles r on r.oid = a.grantee"
        " where n.nspname = %s and r.rolname = %s and a.privilege_type = 'SELECT' and d.defaclrole = current_user::regrole"
    )
    if not _has(pg, by_default, place.schema, role):
        found.append(f'alter default privileges in schema "{place.schema}" grant select on tables to "{role}"')
    for view in views:
        may = "select has_table_privilege(r.oid, to_regclass(%s), 'select') from pg_roles r where r.rolname = %s"
        if not _has(pg, may, place.seen(view), role):
            found.append(f'grant select on {place.seen(view)} to "{role}"')
    return found


def _has(pg: psycopg.Connection, select: str, *parameters: str) -> bool:
    row = pg.execute(select, parameters).fetchone()
    return bool(row and row[0])


def _done(pg: psycopg.Connection, statement: str) -> bool:
    """Run a statement on its own; False when we have not the right to."""
    from psycopg.errors import InsufficientPrivilege, UndefinedObject

    try:
        with pg.transaction():
            pg.execute(statement)
    except (InsufficientPrivilege, UndefinedObject):  # the latter: the role could not be made
        return False
    return True
