"""How fast do the sliders move their pictures in a real browser?

    python -m benchmarks.sliders [--moves 30] [NOTEBOOK ...]

Runs notebooks (all, unless some are named) in JupyterLab in a headless Chromium and presses arrow keys on
every slider. A move is timed inside the page, from the key press to the animation frame after the last change
that it brought. Prints a table and a line of JSON; exits with 1 if a median reaches 150 ms, or 300 ms where a
slider computes when let go.
"""

import argparse
import json
import os
import statistics
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from tools import browser
from tools.notebook import course


def measure(path: Path, moves: int) -> dict[str, dict[str, float]]:
    """Best, median and worst milliseconds of every slider of a notebook."""
    took = {}
    with browser.lab() as address, sync_playwright() as playwright:
        page = browser.launch(playwright).new_page(viewport={"width": 1024, "height": 900})
        browser.run_all(page, f"{address}/lab/tree/{path.name}")
        for k, box in enumerate(browser.live(page)):
            for slider in box.locator(".widget-slider").all():
                times = browser.time_slider(page, box, slider, moves)
                values = {
                    "best_ms": min(times),
                    "median_ms": statistics.median(times),
                    "worst_ms": max(times),
                }
                values |= {"allowed_ms": browser.allowed_ms(slider)}
                took[f"{k} {browser.name_of(slider)}"] = {
                    what: round(value, 1) for what, value in values.items()
                }
    return took


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, default=course())
    parser.add_argument("--moves", type=int, default=30, help="key presses a slider")
    options = parser.parse_args()
    outcome = {path.stem: measure(path, options.moves) for path in options.notebooks}
    for name, sliders in outcome.items():
        for slider, took in sliders.items():
            row = "   ".join(f"{what[:-3]} {value:6.1f} ms" for what, value in took.items())
            print(f"{name[:2]} {slider:26} {row}")
    print(
        json.dumps(
            {"load": os.getloadavg()[0], "cores": os.cpu_count(), "notebooks": outcome}, ensure_ascii=False
        )
    )
    return int(
        any(
            took["median_ms"] >= took["allowed_ms"]
            for sliders in outcome.values()
            for took in sliders.values()
        )
    )


if __name__ == "__main__":
    sys.exit(main())
