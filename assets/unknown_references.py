"""The inbox of numbers that we do not know: which there are, what waits for them, and what they might be.

Belongs here: gathering what waits in core, and the rules by which an own id is suggested. Does not belong here: applying
one (identifiers, in resources), and setting rows apart (merging).

A suggestion is made by the first rule that gives exactly one candidate, in the order of RULES. Only the distinct numbers
that wait are looked at, never the rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from resources.intake.identifiers import IDENTIFIER

if TYPE_CHECKING:
    from resources.catalogue import Catalogue, Contract
    from resources.engine import Engine

WAITING = "publish.waiting_reference"
CANDIDATE = "publish.candidate"
# A name under which people know a site, an organisation: what tells one from another when their ids do not.
NAME = "{}_name"
EAN_DIGITS = 18


def prepare_waiting(engine: Engine, catalogue: Catalogue) -> None:
    """Gather the numbers that rows wait for, and the objects they might stand for; nothing is read when none waits."""
    selects = [
        _waiting(contract, column, str(declared.references))
        for _, contract in sorted(catalogue.contracts.items())
        for column, declared in contract.columns.items()
        if declared.references
    ]
    engine.replace(WAITING, *selects)
    waiting = engine.read(f"select distinct entity_code from {WAITING}").read_all().to_pylist()
    wanted = {row["entity_code"] for row in waiting}
    # A meter may be meant by the name of its site.
    wanted |= {"site"} if "meter" in wanted else set()
    known = [_candidates(catalogue.contracts[name]) for name in sorted(wanted)]
    nothing = "select null::varchar as entity_code, null::varchar as own_id, null::varchar as own_name, null::varchar as site_id"
    engine.replace(CANDIDATE, f"{nothing} limit 0", *known)


def _waiting(contract: Contract, column: str, entity: str) -> str:
    day = f"e.{contract.period}" if contract.period else "null::date"
    return f"""
        select '{contract.name}' as dataset, '{column}' as column_name, r.origin, e.{column} as external_id,
            '{entity}' as entity_code, min(r.received_at) as first_seen, max(r.received_at) as last_seen,
            count(*) as waiting_rows, min({day}) as first_day, max({day}) as last_day,
            count(distinct date_trunc('month', {day})) as month_count
        from core.{contract.name}__unmatched e join intake.receipt r using (receipt_id)
        where list_contains(e.reasons, 'unknown_reference:{column}') group by all"""


def _candidates(contract: Contract) -> str:
    key = contract.key[0]
    name = NAME.format(contract.name)
    named = name if name in contract.columns else "null::varchar"
    site = "site_id" if contract.name == "meter" else "null::varchar"
    return (
        f"select distinct '{contract.name}' as entity_code, {key} as own_id, {named} as own_name, {site} as site_id"
        f" from core.{contract.name}"
    )


def _plain(value: str) -> str:
    """SQL of a number without what people add or leave out: punctuation, blanks, case, leading zeros."""
    return f"nullif(ltrim(upper(regexp_replace({value}, '[^0-9A-Za-z]', '', 'g')), '0'), '')"


def _check_digit(digits: str) -> str:
    """SQL of the last digit of an EAN of 18, by GS1: the first 17 weigh 3 and 1 in turn, and the sum is filled up to tens."""
    weighed = f"list_sum([substr({digits}, i, 1)::int * case when i % 2 = 1 then 3 else 1 end for i in range(1, {EAN_DIGITS})])"
    return f"((10 - {weighed} % 10) % 10)::int::varchar"


def _rules() -> dict[str, str]:
    """What makes an own id a candidate, by the code of the suggestion: SQL of waiting numbers `w` and their candidate."""
    digits = _plain("w.external_id")
    numbered = f"from {WAITING} w join core.{IDENTIFIER} i using (entity_code, external_id)"
    among = f"from {WAITING} w join {CANDIDATE} c using (entity_code)"
    first = f"substr({digits}, 1, {EAN_DIGITS - 1})"
    is_ean = f"regexp_full_match({digits}, '[0-9]{{{EAN_DIGITS - 1},{EAN_DIGITS}}}')"
    same_name = "lower(trim(c.own_name)) = lower(trim(w.external_id))"
    of_site = f"(select distinct own_id as site_id, own_name from {CANDIDATE} where entity_code = 'site')"
    at_site = "c.site_id in (w.external_id, s.site_id)"
    return {
        "other_day": f"select w.*, i.entity_id as own_id {numbered} where i.origin_code = w.origin",
        "other_origin": f"select w.*, i.entity_id as own_id {numbered} where i.origin_code <> w.origin",
        "same_characters": f"select w.*, c.own_id {among} where {_plain('c.own_id')} = {digits}",
        "check_digit": f"select w.*, c.own_id {among} where w.entity_code = 'meter' and case when {is_ean}"
        f" then c.own_id = {first} || {_check_digit(first)} else false end",
        "only_name": f"select w.*, c.own_id {among} where {same_name}",
        "only_meter": f"select w.*, c.own_id {among} left join {of_site} s on lower(s.own_name) = lower(trim(w.external_id))"
        f" where w.entity_code = 'meter' and {at_site}",
    }


RULES = tuple(_rules())


def unknown_select(catalogue: Catalogue) -> str:
    """SQL of one row per number that rows wait for, with the suggestion of the first rule that finds just one object."""
    key = "dataset, column_name, origin, external_id"
    found = " union all ".join(
        f"select {key}, {place} as place, '{code}' as suggestion_code, min(own_id) as suggested_id from ({sql})"
        f" group by {key} having count(distinct own_id) = 1"
        for place, (code, sql) in enumerate(_rules().items())
    )
    return f"""
        select w.dataset, w.column_name, w.origin, w.external_id, w.entity_code, w.first_seen, w.last_seen,
            w.waiting_rows, w.first_day, w.last_day, w.month_count, f.suggested_id, f.suggestion_code
        from {WAITING} w left join (
            select * from ({found}) qualify row_number() over (partition by {key} order by place) = 1
        ) f using ({key})"""
