"""The role that BI tools log in with: it reads, and within one transaction it sees one publication.

Belongs here: the role, its defaults and its rights. Does not belong here: its password, which an administrator gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg

    from resources.targets.postgresql.layout import Place

_EXISTS = "select true from pg_roles where rolname = %s"
_DEFAULTS = {"default_transaction_read_only": "on", "default_transaction_isolation": "repeatable read"}


def let_read(pg: psycopg.Connection, place: Place, role: str, views: Sequence[str]) -> tuple[str, ...]:
    """Make the role and give it its defaults and rights, where they lack; returns what an administrator has to see to.

    Rights on what is made later come by default privileges.
    """
    refused = [statement for statement in _role(pg, role) if not _done(pg, statement)]
    if _has(pg, _EXISTS, role):
        refused += [statement for statement in _rights(pg, place, role, views) if not _done(pg, statement)]
    if not refused:
        return ()
    told = f"role {role} is not complete; let an administrator run: {'; '.join(refused)}"
    return (f"{told}. The next publication gives it what else it needs",)


def _role(pg: psycopg.Connection, role: str) -> list[str]:
    """What makes the role and gives it its defaults in this database."""
    rows = pg.execute(
        "select unnest(s.setconfig) from pg_db_role_setting s join pg_roles r on r.oid = s.setrole"
        " left join pg_database d on d.oid = s.setdatabase"
        " where r.rolname = %s and (s.setdatabase = 0 or d.datname = current_database())",
        [role],
    ).fetchall()
    known = {text for (text,) in rows}
    create = [] if _has(pg, _EXISTS, role) else [f'create role "{role}" login']
    lacking = {name: value for name, value in _DEFAULTS.items() if f"{name}={value}" not in known}
    where = f'"{role}" in database "{pg.info.dbname}"'
    return [*create, *(f"alter role {where} set {name} = '{value}'" for name, value in lacking.items())]


def _rights(pg: psycopg.Connection, place: Place, role: str, views: Sequence[str]) -> list[str]:
    """What gives the role its rights on the schema, on what we make in it later, and on the views."""
    found = []
    if not _has(pg, "select has_schema_privilege(%s, %s, 'usage')", role, place.schema):
        found.append(f'grant usage on schema "{place.schema}" to "{role}"')
    by_default = (
        "select true from pg_default_acl d join pg_namespace n on n.oid = d.defaclnamespace, aclexplode(d.defaclacl) a"
        " where a.grantee = %s::regrole and n.nspname = %s and a.privilege_type = 'SELECT'"
        " and d.defaclrole = current_user::regrole"
    )
    if not _has(pg, by_default, role, place.schema):
        found.append(f'alter default privileges in schema "{place.schema}" grant select on tables to "{role}"')
    unseen = "select name from unnest(%s::text[]) v(name) where not has_table_privilege(%s, name, 'select')"
    names = [place.seen(view) for view in views]
    return found + [f'grant select on {name} to "{role}"' for (name,) in pg.execute(unseen, [names, role]).fetchall()]


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
