"""How fast do the sliders of notebook 02 move their plots in a real browser?

    python benchmarks/sliders.py [--moves 30] [--shots FOLDER]

Starts JupyterLab on loopback, opens the notebook in headless Chromium (needs playwright), runs all cells, and presses arrow keys on every
slider. A move is timed inside the page, from the key press to the first animation frame after plotly has drawn. Prints a table and a line
of JSON; exits with 1 if a median reaches 100 ms, the console shows an error, or anything outside this machine is requested.
"""

import argparse
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Locator, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOK = "02-two-gaussians.ipynb"
TARGET_MS = 100
TIMER = """
() => new Promise((done, fail) => {
  const plot = document.querySelector('[data-timed]');
  const begin = {at: 0};
  document.addEventListener('keydown', () => { begin.at = performance.now(); }, {capture: true, once: true});
  const drawn = () => requestAnimationFrame(() => { plot.removeListener('plotly_afterplot', drawn); done(performance.now() - begin.at); });
  plot.on('plotly_afterplot', drawn);
  setTimeout(() => fail('the plot did not follow within 5 s'), 5000);
})
"""


@contextmanager
def lab() -> Iterator[str]:
    """JupyterLab on a free loopback port, over a copy of the notebook; gives its address."""
    with socket.socket() as free, tempfile.TemporaryDirectory() as folder:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        root, settings = Path(folder) / "root", Path(folder) / "settings"
        news = settings / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
        root.mkdir()
        news.parent.mkdir(parents=True)
        news.write_text('{"fetchNews": "false"}')
        shutil.copy(ROOT / "notebooks" / NOTEBOOK, root)
        options = ["--no-browser", "--ip=127.0.0.1", f"--port={port}", "--allow-root", "--IdentityProvider.token=", "--ServerApp.password="]
        quiet = [f"--LabApp.user_settings_dir={settings}", f"--LabApp.workspaces_dir={folder}", f"--ServerApp.root_dir={root}"]
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        with open(Path(folder) / "lab.log", "w") as log:
            command = [sys.executable, "-m", "jupyterlab", *options, *quiet]
            server = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}, stdout=log, stderr=log)
            try:
                _wait(f"http://127.0.0.1:{port}/api")
                yield f"http://127.0.0.1:{port}/lab/tree/{NOTEBOOK}"
            finally:
                server.terminate()
                server.wait(20)


def _wait(address: str, seconds: float = 60) -> None:
    for _ in range(int(seconds * 5)):
        try:
            urllib.request.urlopen(address, timeout=1).read()
            return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(f"JupyterLab did not answer at {address} within {seconds:.0f} s")


def run_all(page: Page, address: str) -> float:
    """Open the notebook, run every cell, and give the seconds from the click to an idle kernel."""
    page.goto(address)
    page.locator(".jp-Notebook").wait_for(timeout=60_000)
    page.get_by_text(re.compile(r"\| Idle$")).wait_for(timeout=60_000)  # the status bar: a kernel is connected
    page.get_by_role("menuitem", name="Run", exact=True).click()
    start = time.perf_counter()
    page.get_by_text("Run All Cells", exact=True).click()
    page.wait_for_function("() => document.querySelector('.jp-Notebook-ExecutionIndicator').dataset.status !== 'idle'", timeout=10_000)
    page.wait_for_function(
        "() => document.querySelector('.jp-Notebook-ExecutionIndicator').dataset.status === 'idle'"
        " && ![...document.querySelectorAll('.jp-InputPrompt')].some(prompt => prompt.innerText.includes('*'))",
        timeout=120_000,
    )
    return time.perf_counter() - start


def widgets(page: Page) -> list[Locator]:
    """The live figures with their knobs, once drawn, in the order of the page (Jupyter draws what is near the viewport)."""
    found, boxes = [], page.locator(".widget-vbox .widget-vbox:has(.js-plotly-plot)")
    for cell in range(page.locator(".jp-Cell").count()):
        page.evaluate(f"() => document.querySelectorAll('.jp-Cell')[{cell}]?.scrollIntoView()")
        page.wait_for_timeout(30)
    for k in range(boxes.count()):
        boxes.nth(k).scroll_into_view_if_needed()
        boxes.nth(k).locator(".js-plotly-plot .main-svg").first.wait_for(timeout=20_000)
        found.append(boxes.nth(k))
    return found


def time_slider(page: Page, box: Locator, slider: Locator, moves: int, pause: float = 150) -> list[float]:
    """Milliseconds from key press to drawn plot, for each of `moves` presses, there and back, `pause` ms apart."""
    box.locator(".js-plotly-plot").first.evaluate(
        "(plot) => { document.querySelectorAll('[data-timed]').forEach(e => e.removeAttribute('data-timed')); plot.dataset.timed = 1; }"
    )
    slider.locator(".noUi-handle").focus()
    times = []
    for k in range(moves):
        page.evaluate(f"() => {{ window.timed = ({TIMER.strip()})(); }}")
        page.keyboard.press("ArrowRight" if k < moves / 2 else "ArrowLeft")
        times.append(page.evaluate("() => window.timed"))
        page.wait_for_timeout(pause)
    return times


def measure(moves: int, shots: Path | None) -> dict:
    """Run the notebook in a browser; what every slider took, and what went wrong."""
    outcome: dict = {"sliders": {}, "errors": [], "external": [], "load": os.getloadavg()[0], "cores": os.cpu_count()}
    with lab() as address, sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=flags)
        page = browser.new_page(viewport={"width": 1024, "height": 800})
        page.on("console", lambda line: outcome["errors"].append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: outcome["errors"].append(str(error)))
        local = re.compile(r"^(https?|wss?)://127\.0\.0\.1[:/]|^(data|blob|about):")
        page.on("response", lambda reply: outcome["errors"].append(f"{reply.status} {reply.url}") if reply.status >= 400 else None)
        page.on("request", lambda request: None if local.match(request.url) else outcome["external"].append(request.url))
        outcome["run_all_s"] = round(run_all(page, address), 1)
        for k, box in enumerate(widgets(page)):
            box.scroll_into_view_if_needed()
            if shots:
                page.screenshot(path=shots / f"widget{k}.png")
            for slider in box.locator(".widget-slider").all():
                name = slider.locator(".widget-label").text_content()
                times = time_slider(page, box, slider, moves)
                took = {"best_ms": min(times), "median_ms": statistics.median(times), "worst_ms": max(times)}
                outcome["sliders"][f"{k} {name}"] = {what: round(value, 1) for what, value in took.items()}
        browser.close()
    return outcome


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moves", type=int, default=30, help="key presses a slider")
    parser.add_argument("--shots", type=Path, help="a folder for screenshots of the widgets")
    options = parser.parse_args()
    outcome = measure(options.moves, options.shots)
    for name, took in outcome["sliders"].items():
        print(f"{name:24} best {took['best_ms']:6.1f} ms   median {took['median_ms']:6.1f} ms   worst {took['worst_ms']:6.1f} ms")
    print(json.dumps(outcome, ensure_ascii=False))
    slow = [name for name, took in outcome["sliders"].items() if took["median_ms"] >= TARGET_MS]
    return int(bool(slow or outcome["errors"] or outcome["external"] or not outcome["sliders"]))


if __name__ == "__main__":
    sys.exit(main())
