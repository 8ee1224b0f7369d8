"""A gas meter of the demo that is read as it stands: its register rolls over, and later the meter is swapped.

Belongs here: the readings of this meter. Does not belong here: meters that tell what they measured by interval (energy).
"""

from __future__ import annotations

from datetime import date

import numpy as np

from demo.calendar import blocks, comma, day_text, days, following
from demo.meters import daily, meter, warmth
from demo.writing import Demo

READ_AS_IT_STANDS = "BRE"
ROLLED, SWAPPED = date(2026, 4, 16), date(2026, 5, 20)
OLD, NEW = "G0031456", "G0078112"
_SIZE = 100_000  # five digits


def stands(demo: Demo) -> None:
    """A reading at the beginning of every day, and of the day after each file; a new meter begins at 0."""
    site = demo.site(READ_AS_IT_STANDS)
    if site is None:
        return
    every = days(demo.span[0], following(demo.span[-1]))
    used = np.concatenate([[0.0], np.cumsum(np.round(daily(site.gas_m3, warmth, every), 3))])
    every = np.append(every, every[-1:] + 1)
    rolled, swapped = (int((every < np.datetime64(on)).sum()) for on in (ROLLED, SWAPPED))
    is_new = np.arange(len(every)) >= swapped
    first = _SIZE - used[min(rolled, len(used) - 1)] + 2.5
    shown = np.where(is_new, used - used[min(swapped, len(used) - 1)], (first + used) % _SIZE)
    texts, values = day_text(every), comma(shown, 3)
    lines = [
        f"{meter(site, 'gas')};{NEW if new else OLD};{day};{value}"
        for day, value, new in zip(texts, values, is_new.tolist(), strict=True)
    ]
    for block in blocks(demo.span, 3):
        part = (every >= np.datetime64(block[0])) & (every <= np.datetime64(following(block[-1])))
        rows = [line for line, inside in zip(lines, part.tolist(), strict=True) if inside]
        name, headings = f"gasstanden_{block[0]:%Y-%m}", ("EAN", "Meternummer", "Dag", "Stand")
        demo.writer.deliver("gasstanden__meter_reading", name, headings, rows, following(block[-1]))
    if demo.holds(date(2026, 4, 1), date(2026, 5, 1)):
        facts = {"site": site.site_id, "meter": meter(site, "gas")}
        demo.plant("register_rolls_over", 1, day=f"{ROLLED}", **facts)
        demo.plant("meter_swapped", 1, day=f"{SWAPPED}", **facts)
