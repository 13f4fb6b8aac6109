"""One Chromium for all browser tests; without it, or without playwright,
they are skipped and say what to install.
"""

import pytest

try:
    from playwright.sync_api import sync_playwright

    from tools import browser
except ModuleNotFoundError as missing:
    if missing.name != "playwright":
        raise
    collect_ignore_glob = ["test_*.py"]
    print("browser tests are skipped: pip install -e '.[browser,site]'")


@pytest.fixture(scope="session")
def chrome():
    if not browser.chromium():
        pytest.skip("no Chromium: apt-get install chromium, or set CHROMIUM to its path")
    with sync_playwright() as playwright:
        opened = browser.launch(playwright)
        yield opened
        opened.close()
