"""From facts to HTML: the templates, and how a text in two languages stands in them.

Belongs here: the template environment. Does not belong here: any fact, and writing files (making).

Everything is escaped by default: names of files, rows and organisations come from outside. A page loads nothing from
anywhere: style and charts stand in it, and its content security policy forbids the rest.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from resources.wording import Words

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

FOLDER = Path(__file__).parent / "templates"


class Bilingual(Protocol):
    """Anything that has a text in both languages."""

    @property
    def nl(self) -> str:
        """The Dutch text."""
        ...

    @property
    def en(self) -> str:
        """The English text."""
        ...


def render(template: str, languages: tuple[str, ...], **facts: Any) -> str:
    """A page in the languages of the deployment, the first of which is its main one."""
    page: str = _environment(languages).get_template(template).render(languages=languages, main=languages[0], **facts)
    return page


@cache
def _environment(languages: tuple[str, ...]) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    words = _Words(languages)
    made.filters.update(words=words.both, figure=words.one, plain=words.plain)
    made.globals["t"] = lambda nl, en: words.both(Words(nl, en))
    made.globals["f"] = lambda nl, en: words.one(Words(nl, en))
    made.globals["style"] = _style()
    return made


def _style() -> Markup:
    """The style sheet, to stand within the page; it is ours, so it is not escaped."""
    from markupsafe import Markup

    return Markup((FOLDER / "style.css").read_text("utf-8"))


class _Words:
    """How a text in two languages stands in a page. Both are in it; the reader chooses what is shown."""

    def __init__(self, languages: tuple[str, ...]) -> None:
        self.languages = languages

    def both(self, text: Bilingual) -> Markup:
        """The main language, and the other one beneath it, smaller."""
        return self._spans(text, " ", "also")

    def one(self, text: Bilingual) -> Markup:
        """A figure or a word within a line: only one of the two forms is shown."""
        return self._spans(text, "", "alt")

    def plain(self, text: Bilingual) -> str:
        """Without marks, for a place that holds no elements, such as the title of a chart."""
        told = [str(getattr(text, language)) for language in self.languages]
        return " / ".join(dict.fromkeys(told))

    def _spans(self, text: Bilingual, between: str, second: str) -> Markup:
        from markupsafe import Markup, escape

        main, *others = self.languages
        told = str(getattr(text, main))
        if not others or told == getattr(text, others[0]):
            return escape(told)
        return Markup('<span lang="{}">{}</span>{}<span lang="{}" class="{}">{}</span>').format(
            main, told, between, others[0], second, getattr(text, others[0])
        )
