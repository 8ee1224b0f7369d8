"""A proposed mapping as YAML, with the reason beside every line.

Belongs here: the text, and proving that the catalogue takes it. Does not belong here: any choice (choosing).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from resources.catalogue import Catalogue
from resources.catalogue.mapping_rules import MappingRules
from resources.errors import KetenError

if TYPE_CHECKING:
    from resources.proposing.proposal import Line, Proposal

_LONGEST = 160
PERSONAL = "looks like personal data: a file with it is refused; ask the sender to leave it out"


def write(catalogue: Catalogue, proposal: Proposal, personal: tuple[str, ...] = ()) -> str:
    """The mapping as YAML. Raises KetenError when the catalogue would not take it, which names the line."""
    prove(catalogue, proposal)
    lines = [
        f"# Proposed by `keten map` from {_plain(proposal.sample.path.name)}; look at each CHECK before you use it."
    ]
    lines += [f"# Note: {_plain(note)}." for note in proposal.notes]
    lines += [_entry("", line) for line in proposal.top]
    lines.append("columns:" if proposal.columns else "columns: {}")
    lines += [_entry("  ", line) for line in proposal.columns]
    lines += [f"  # CHECK: {column} is required. {_plain(what)}" for column, what in proposal.missing.items()]
    if proposal.ignored:
        lines.append("ignore:")
        for heading, looks in proposal.ignored.items():
            told = f"CHECK: {PERSONAL}" if heading in personal else looks
            lines.append(f"  - {scalar(heading)}  # {told}")
    return "\n".join(lines) + "\n"


def prove(catalogue: Catalogue, proposal: Proposal) -> None:
    """Hold a proposal against the catalogue. Columns that are missing are told in it, and no fault."""
    mapping = proposal.mapping()
    MappingRules(with_mapping(catalogue, proposal)).hold_shape(mapping)


def with_mapping(catalogue: Catalogue, proposal: Proposal) -> Catalogue:
    """The catalogue with the proposal as its only mapping."""
    mapping = proposal.mapping()
    only = {"mappings": {(mapping.origin, mapping.dataset): mapping}, "later_mappings": {}}
    return Catalogue(**{**vars(catalogue), **only})


def scalar(value: Any) -> str:
    """A value as YAML in one line."""
    told = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**9, sort_keys=False)
    told = told.removesuffix("\n").removesuffix("\n...")
    if "\n" in told:
        raise KetenError(f"{str(value)[:60]!r} cannot be written in one line of YAML; is it a heading?")
    return told


def _entry(indent: str, line: Line) -> str:
    told = f"{indent}{line.key}: {scalar(line.value)}"
    reason = f"CHECK: {line.check}" + (f" ({line.why})" if line.why else "") if line.check else line.why
    return f"{told}  # {_plain(reason)}" if reason else told


def _plain(told: str) -> str:
    """A reason in one line that no reader takes for anything else."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in told).split())
    return plain if len(plain) <= 2 * _LONGEST else plain[: 2 * _LONGEST] + "..."
