"""JupyterLab in a real browser: start it over copies of the notebooks, run them, find their widgets,
move and time their sliders.
"""

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
from dataclasses import dataclass, field
from pathlib import Path

import torch
from playwright.sync_api import Browser, Locator, Page, Playwright

from tools.notebook import COURSE, ROOT

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]
NO_NETWORK = {name: "http://127.0.0.1:9" for name in ("http_proxy", "https_proxy", "all_proxy")} | {
    "no_proxy": "127.0.0.1,localhost"
}
NOWHERE = (
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"  # no name but this machine's can be found
)
PICTURE = ".js-plotly-plot .main-svg, img.widget-image"
LOCAL = re.compile(r"^(https?|wss?)://127\.0\.0\.1[:/]|^(data|blob|about|file):")
SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false"},
    "notebook-extension/tracker": {"windowingMode": "none"},
}

PROBE = 20.0  # milliseconds that the work of `slowness` takes on a quiet machine

# resolves with the milliseconds from the next key press to the last change that it brought in the widget (the
# slider itself apart)
TIMER = """
box => new Promise((done, fail) => {
  let begin = 0, settle = 0;
  const apart = node => (node.closest ? node : node.parentElement)?.closest('.widget-slider');
  const seen = new MutationObserver(changes => {
    if (!begin || changes.every(change => apart(change.target))) return;
    requestAnimationFrame(() => {
      const last = performance.now();
      clearTimeout(settle);
      settle = setTimeout(() => { seen.disconnect(); done(last - begin); }, 200);
    });
  });
  seen.observe(box, {subtree: true, childList: true, attributes: true, characterData: true});
  document.addEventListener('keydown', () => { begin = performance.now(); }, {capture: true, once: true});
  setTimeout(() => fail('the widget did not follow within 8 s'), 8000);
})
"""
# what the widget's pictures show: pixels of its images, drawing of its plots
SHOWN = """
async box => {
  const pixels = await Promise.all([...box.querySelectorAll('img.widget-image')].map(async image => {
    await image.decode().catch(() => null);
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    canvas.getContext('2d').drawImage(image, 0, 0);
    return canvas.toDataURL();
  }));
  return pixels.concat([...box.querySelectorAll('.main-svg')].map(plot => plot.innerHTML)).join();
}
"""
IDLE = """() => document.querySelector('.jp-Notebook-ExecutionIndicator')?.dataset.status === 'idle'
  && ![...document.querySelectorAll('.jp-InputPrompt')].some(prompt => prompt.innerText.includes('*'))"""


def chromium() -> str | None:
    """Where a Chromium is: $CHROMIUM, or on the path."""
    return (
        os.environ.get("CHROMIUM")
        or shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )


def launch(playwright: Playwright) -> Browser:
    """A headless Chromium that finds no other machine."""
    return playwright.chromium.launch(executable_path=chromium(), args=[*FLAGS, NOWHERE])


@contextmanager
def lab() -> Iterator[str]:
    """JupyterLab on a free loopback port, over copies of the notebooks; gives its address.

    A download by a kernel fails.
    """
    with socket.socket() as free, tempfile.TemporaryDirectory() as folder:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        root, settings = Path(folder) / "root", Path(folder) / "settings"
        shutil.copytree(COURSE, root, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
        for name, values in SETTINGS.items():
            path = settings / "@jupyterlab" / f"{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps(values), encoding="utf-8")
        options = [
            "--no-browser",
            "--ip=127.0.0.1",
            f"--port={port}",
            "--allow-root",
            "--IdentityProvider.token=",
            "--ServerApp.password=",
        ]
        options += ["--ServerApp.disable_check_xsrf=True"]  # so that the test can end kernels
        quiet = [
            f"--LabApp.user_settings_dir={settings}",
            f"--LabApp.workspaces_dir={folder}",
            f"--ServerApp.root_dir={root}",
        ]
        path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        with open(Path(folder) / "lab.log", "w", encoding="utf-8") as log:
            command = [sys.executable, "-m", "jupyterlab", *options, *quiet]
            server = subprocess.Popen(
                command, env={**os.environ, **NO_NETWORK, "PYTHONPATH": path}, stdout=log, stderr=log
            )
            try:
                _wait(f"http://127.0.0.1:{port}/api")
                yield f"http://127.0.0.1:{port}"
            finally:
                server.terminate()
                server.wait(20)


def _wait(address: str, seconds: float = 90) -> None:
    for _ in range(int(seconds * 5)):
        try:
            urllib.request.urlopen(address, timeout=1).read()
            return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(f"JupyterLab did not answer at {address} within {seconds:.0f} s")


def end_kernels(address: str) -> None:
    """Shut down every kernel of the lab, so that notebooks do not add up in memory."""
    for session in json.loads(urllib.request.urlopen(f"{address}/api/sessions").read()):
        urllib.request.urlopen(
            urllib.request.Request(f"{address}/api/sessions/{session['id']}", method="DELETE")
        )


@dataclass
class Watch:
    """What a page says and asks for while it is open."""

    errors: list[str] = field(default_factory=list)
    external: list[str] = field(default_factory=list)

    def over(self, page: Page) -> None:
        page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on(
            "response",
            lambda reply: self.errors.append(f"{reply.status} {reply.url}") if reply.status >= 400 else None,
        )
        page.on(
            "request", lambda request: None if LOCAL.match(request.url) else self.external.append(request.url)
        )


def run_all(page: Page, address: str, seconds: float = 400) -> tuple[float, float]:
    """Open the notebook, run every cell; seconds from the click to the first plot, and to an idle kernel."""
    page.goto(f"{address}?reset")  # without the tabs of the notebook visited before
    page.locator(".jp-Notebook").wait_for(timeout=60_000)
    # the status bar: a kernel is connected
    page.get_by_text(re.compile(r"\| Idle$")).wait_for(timeout=60_000)
    page.get_by_role("menuitem", name="Edit", exact=True).click()
    page.get_by_text("Clear Outputs of All Cells", exact=True).click()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    start = time.perf_counter()
    page.get_by_text("Run All Cells", exact=True).click()
    page.locator(PICTURE).first.wait_for(state="attached", timeout=seconds * 1000)
    first = time.perf_counter() - start
    page.wait_for_function(IDLE, timeout=seconds * 1000)
    return first, time.perf_counter() - start


def live(page: Page) -> list[Locator]:
    """The live widgets, each drawn."""
    boxes = page.locator(".featlab-live").all()
    for box in boxes:
        box.scroll_into_view_if_needed()
        box.locator(PICTURE).first.wait_for(timeout=20_000)
    return boxes


def name_of(slider: Locator) -> str:
    return slider.locator(".widget-label").first.text_content()


def slowness() -> float:
    """How many times as long as on a quiet machine a fixed piece of Python's and torch's work takes now, at
    least 1: what is slower at all times, or busy just now, makes every widget slow.
    """
    layer, x = torch.nn.Conv2d(16, 16, 3, padding=1), torch.zeros(8, 16, 28, 28)
    times, threads = [], torch.get_num_threads()
    torch.set_num_threads(1)
    for _ in range(9):
        begun = time.perf_counter()
        with torch.no_grad():
            for _ in range(20):
                layer(x).relu()
        json.loads(json.dumps([*range(20_000)]))
        times.append(time.perf_counter() - begun)
    torch.set_num_threads(threads)
    return max(1.0, 1000 * statistics.median(times) / PROBE)


def allowed_ms(slider: Locator) -> float:
    """How long a move may take: 150 ms where the picture follows the hand,
    300 ms where it is computed on letting go.
    """
    return 300 if "featlab-released" in (slider.get_attribute("class") or "") else 150


def moves_picture(page: Page, box: Locator, slider: Locator) -> bool:
    """Whether the slider's picture changes: at its two ends,
    and between (an angle's ends may look the same).
    """
    shown = set()
    for keys in (["Home"], ["End"], ["ArrowLeft"] * 6):
        slider.locator(".noUi-handle").first.focus()
        for key in keys:
            page.keyboard.press(key)
        page.wait_for_timeout(300)
        page.wait_for_function(IDLE, timeout=20_000)
        page.wait_for_timeout(300)
        shown.add(box.evaluate(SHOWN))
    return len(shown) > 1


def time_slider(page: Page, box: Locator, slider: Locator, moves: int) -> list[float]:
    """Milliseconds from key press to the finished picture, for each of `moves` presses,
    back and forth from the slider's end.
    """
    slider.locator(".noUi-handle").first.focus()
    page.keyboard.press("End")
    page.wait_for_timeout(500)
    page.wait_for_function(IDLE, timeout=20_000)
    page.wait_for_timeout(500)
    times = []
    for k in range(moves):
        box.evaluate(f"box => {{ window.timed = ({TIMER.strip()})(box); }}")
        page.keyboard.press("ArrowLeft" if k < moves / 2 else "ArrowRight")
        times.append(page.evaluate("() => window.timed"))
    return times
