"""Tables of the pages on speed and scaling, from the CSV files of their benchmarks: `python -m benchmarks.pages`."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from benchmarks import ratios, scaling

DOCS = Path(__file__).resolve().parents[1] / "docs"


def ratio_table() -> str:
    """Ratios to peers, with where they were measured."""
    where, found = ratios.read(ratios.RESULTS)
    return f"{ratios.table(found)}\n\n{where}."


def scaling_table() -> str:
    """Steps on one and two processes; efficiency against the first line of each kind."""
    lines = scaling.RESULTS.read_text(encoding="utf-8").splitlines()
    rows = list(csv.DictReader(lines[1:]))
    first = {row["kind"]: row for row in reversed(rows)}
    text = [
        "| kind | processes | points | rows | parameters | CPU-s of a step, busiest process | efficiency "
        "| on the clock | peak MiB, busiest | formula |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        one = first[row["kind"]]
        work = (int(row["points"]) / int(one["points"])) / int(row["processes"])
        efficiency = float(one["cpu"]) * work / float(row["cpu"])
        text.append(
            f"| {row['kind']} | {row['processes']} | {row['points']} | {row['rows']} | {row['parameters']} "
            f"| {row['cpu']} | {efficiency:.0%} | {row['clock']} s "
            f"| {float(row['memory']):.0f} | {float(row['formula']):.0f} |"
        )
    return "\n".join(text) + f"\n\n{lines[0].removeprefix('# ')}."


TABLES = {"speed.md": ratio_table, "scaling.md": scaling_table}


def filled(page: str, table: str) -> str:
    """A page with the table between its marks.

    Args:
        page: Text.
        table: Markdown.

    Returns:
        The new text.
    """
    begin, end = "<!-- table: written by python -m benchmarks.pages -->", "<!-- end of table -->"
    return re.sub(f"({begin}\n).*?({end})", lambda found: f"{found[1]}\n{table}\n\n{found[2]}", page, flags=re.DOTALL)


def main() -> None:
    """Write them."""
    for name, table in TABLES.items():
        path = DOCS / name
        path.write_text(filled(path.read_text(encoding="utf-8"), table()), encoding="utf-8")


if __name__ == "__main__":
    main()
