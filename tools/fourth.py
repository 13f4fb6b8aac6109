"""The table of the solved example in docs/open-assignment.md: python -m tools.fourth"""

import json
import re

from tools.notebook import ROOT

PAGE, TABLE = ROOT / "docs" / "open-assignment.md", ROOT / "docs" / "fourth-set.json"


def table() -> str:
    """One line a seed, and where they were measured."""
    report = json.loads(TABLE.read_text(encoding="utf-8"))
    rows, made = report["rows"], report["provenance"]
    names = list(rows[0])
    lines = [f"| seed | {' | '.join(names)} |", "|---:|" + "---:|" * len(names)]
    lines += [
        f"| {seed} | {' | '.join(f'{100 * row[name]:.1f}' for name in names)} |"
        for seed, row in enumerate(rows)
    ]
    source = f"{report['images']:,} images, {report['epochs']} epochs, {made['date']}, {made['device']}, "
    lines += ["", f"(% of 2,000 real test images; {source}{made['precision']}; `python docs/fourth_set.py`.)"]
    return "\n".join(lines)


def filled(text: str) -> str:
    """The page with its table as it should be."""
    made = f"<!-- fourth set -->\n{table()}\n<!-- /fourth set -->"
    return re.sub(r"<!-- fourth set -->.*<!-- /fourth set -->", lambda _: made, text, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
