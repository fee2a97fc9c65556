"""A real headless Chromium, which notes whom it asks, and axe, which says who cannot use a page."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support import lacking

OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
GRAVE = {"serious", "critical"}
PATIENCE_MILLISECONDS = 60_000


@dataclass
class Tab:
    """One page of the browser, the hosts it asked, and what it complained of."""

    page: Page
    hosts: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)

    def grave_findings(self) -> list[str]:
        """What axe finds serious or critical."""
        found = Axe().run(self.page).response["violations"]
        return [
            f"{each['id']}: {each['nodes'][0]['html'][:200]}"
            for each in found
            if each["impact"] in GRAVE
        ]

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))


@contextmanager
def browser() -> Iterator[Browser]:
    """The browser until the block ends."""
    path = shutil.which("chromium")
    if path is None:
        lacking("Debian's chromium")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=path, args=list(OPTIONS))


def open_tab(browser: Browser, url: str, width: int, height: int = 900) -> Tab:
    """A new page of this size."""
    page = browser.new_page(viewport={"width": width, "height": height})
    page.set_default_timeout(PATIENCE_MILLISECONDS)
    tab = Tab(page)
    page.on("request", lambda request: tab.hosts.add(urlsplit(request.url).netloc))
    page.on("pageerror", lambda error: tab.complaints.append(str(error)))
    page.goto(url)
    return tab
