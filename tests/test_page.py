"""The HTML page: nothing in a source file can break out of its place; and, in a real browser, that it works."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pages
import pytest

from port import cli
from port.report import html, htmlcases
from port.report.html import Coverage
from port.report.markup import Html, tag, text
from port.report.model import FileReport, Report
from port.result import Result

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((name, dict(attributes)))
        if name not in ("meta", "input", "col"):
            self.open.append(name)

    def handle_endtag(self, name: str) -> None:
        assert self.open.pop() == name


@pytest.mark.parametrize("make", [pages.small, pages.hostile, pages.long])
def test_the_page_is_well_formed_and_holds_only_what_is_ours(make: Callable[[], Report]) -> None:
    reader = Reader()
    reader.feed(html.render(make()))
    assert reader.open == []
    names = [name for name, _ in reader.tags]
    assert names.count("script") == names.count("style") == 1 and "img" not in names
    for name, attributes in reader.tags:
        assert not any(key.startswith("on") or key in ("style", "src") for key in attributes), (name, attributes)
        assert attributes.get("href", "#").startswith("#")


def test_text_is_escaped_whoever_forgets_it() -> None:
    assert tag("p", "<b>", class_='"x"', data_y="'", hidden=True, id=None) == (
        '<p class="&quot;x&quot;" data-y="&#x27;" hidden>&lt;b&gt;</p>')
    assert text(Html("<b>")) == "<b>" and tag("p", tag("b", 1)) == "<p><b>1</b></p>"
    assert tag("p", title=Html('"')) == '<p title="&quot;"></p>'


def test_what_cannot_be_seen_is_spelled_out() -> None:
    assert text("a\u202eb\x00\x1b\u200b") == "a⟨U+202E⟩b⟨U+0000⟩⟨U+001B⟩⟨U+200B⟩" and text("a\tb\né") == "a\tb\né"


def test_only_the_script_of_the_package_may_run() -> None:
    page = html.render(pages.hostile())
    policy = re.search(r'content="(default-src [^"]*)"', page)
    assert policy is not None and "unsafe" not in policy[1] and policy[1].count("sha256-") == 2


def test_errors_by_layer_keep_the_worst_of_each() -> None:
    columns, points = htmlcases.by_layer(pages.verdict("mismatch"))
    assert columns == [*pages.LAYERS, "outputs", "gradients of inputs"]
    assert [(columns[p.column], p.error) for p in points if p.bad] == [("block_3_conv", 3e-4),
                                                                       ("block_4_conv", float("inf"))]
    assert len(points) == 82 and all(p.dtype in ("float64", "float32") for p in points)


def test_coverage_is_never_rounded_up() -> None:
    assert Coverage(1000, 1).percent == 99 and Coverage(3, 0).percent == 100 and Coverage(0, 0).percent is None
    refused = FileReport("a", Result("import tensorflow as tf\ntf.a\ntf.b\n", "import tensorflow as tf\nb\ntf.b\n"))
    assert html.coverage(refused, "tf2torch") == Coverage(2, 1)


def test_a_verification_alone_is_no_translation() -> None:
    page = html.render(Report("tf2tf", (FileReport("a.py", verdicts=(pages.said("verified"),)),)))
    assert "nothing to port" not in page and "changed" not in page.split("</header>")[0]
    assert "<p>1 of 1 case verified.</p>" in page


def test_the_command_writes_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.py").write_text("import tensorflow as tf\nx = tf.abs(1)\n")
    assert cli.main(["tf2torch", "a.py", "--report", "out/a.html"]) == 0
    assert "row abs".replace(" ", "</b> ") in Path("out/a.html").read_text(encoding="utf-8")
    for name in ("a.py", "b.txt"):
        with pytest.raises(SystemExit) as stop:
            cli.main(["tf2torch", "a.py", "--report", name])
        assert stop.value.code == 2
    assert Path("a.py").read_text().startswith("import tensorflow") and not Path("b.txt").exists()


# ---------------------------------------------------------------- in a browser
@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium: pip install 'port[browser]'")
    if not CHROMIUM or not DRIVER:
        pytest.skip("needs Debian's packages chromium and chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    with tempfile.TemporaryDirectory() as folder:
        for flag in ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-sync",
                     "disable-background-networking", "disable-component-update", f"user-data-dir={folder}",
                     "window-size=1400,1000"):
            options.add_argument(f"--{flag}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
        yield driver
        driver.quit()


@pytest.fixture
def browser(chromium: Any, tmp_path: Path) -> Callable[..., Any]:
    """Opens a report: `browser(report, width=1400, dark=False)`; the script of the page has run then."""
    def load(report: Report, width: int = 1400, dark: bool = False) -> Any:
        chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": False})
        chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
        path = tmp_path / "page.html"
        path.write_text(html.render(report), encoding="utf-8")
        chromium.get(path.as_uri())
        chromium.execute_script("localStorage.clear()")
        chromium.refresh()
        picture(chromium, f"{report.files[0].path[-8:]}-{width}{'-dark' if dark else ''}")
        faults = [entry["message"] for entry in chromium.get_log("browser")]
        assert not faults, faults
        return chromium
    return load


def picture(driver: Any, name: str) -> None:
    """Kept where PORT_SCREENSHOTS names a folder, to be looked at."""
    if folder := os.environ.get("PORT_SCREENSHOTS"):
        path = Path(folder, re.sub(r"\W+", "-", name) + ".png")
        driver.save_screenshot(str(path))


def keys(driver: Any, *pressed: str) -> None:
    from selenium.webdriver import ActionChains

    for key in pressed:
        ActionChains(driver).send_keys(key).perform()


def seen(driver: Any, query: str) -> int:
    """How many elements are shown."""
    return int(driver.execute_script(
        "return [...document.querySelectorAll(arguments[0])].filter(e => e.checkVisibility()).length", query))


def test_hostile_text_runs_nothing(browser: Callable[..., Any]) -> None:
    driver = browser(pages.hostile())
    assert driver.execute_script("return window.pwned === undefined && !document.querySelector('img')")
    assert pages.HOSTILE in driver.execute_script("return document.querySelector('td.code.old').textContent")
    assert driver.execute_script("return performance.getEntriesByType('resource').length") == 0


def test_findings_are_reached_and_opened_by_keyboard(browser: Callable[..., Any]) -> None:
    from selenium.webdriver import Keys

    driver = browser(pages.small())
    focused = "return document.activeElement.closest('.finding')?.dataset.code"
    keys(driver, "j")
    assert driver.execute_script(focused) == "P101"
    keys(driver, Keys.ENTER)
    assert driver.execute_script("return document.activeElement.closest('details').open") and seen(driver, ".message")
    assert "What to do" in driver.switch_to.active_element.find_element("xpath", "..").text
    keys(driver, "j", "j")
    assert driver.execute_script(focused) == "P103"
    keys(driver, "j")
    assert driver.execute_script(focused) == "P101"  # around
    keys(driver, "k", "k")
    assert driver.execute_script(focused) == "P203"
    keys(driver, "n")
    assert driver.execute_script("return document.activeElement.id") == "f2"
    keys(driver, "?")
    assert seen(driver, "dialog")
    keys(driver, Keys.ESCAPE)
    assert not seen(driver, "dialog")


def test_filters(browser: Callable[..., Any]) -> None:
    driver = browser(pages.small())
    assert seen(driver, ".finding") == 3 and seen(driver, "section.file") == 3
    driver.find_element("css selector", "input[value=refused]").click()
    assert seen(driver, ".finding") == 2 and "2 of 3 findings" in driver.find_element("id", "count").text
    keys(driver, "/")
    driver.switch_to.active_element.send_keys("P103")
    assert seen(driver, ".finding") == 1 and seen(driver, "section.file") == 1
    assert seen(driver, ".overview tbody tr") == 1


def test_unchanged_lines_fold(browser: Callable[..., Any]) -> None:
    driver = browser(pages.small())
    folded = seen(driver, "tr.equal")
    keys(driver, "u")
    assert seen(driver, "tr.equal") > folded == 8
    keys(driver, "u")
    driver.find_element("css selector", "tr.more button").click()
    assert seen(driver, "tr.equal") == 32


@pytest.mark.parametrize("dark", [False, True])
def test_both_themes_can_be_read(browser: Callable[..., Any], dark: bool) -> None:
    """Contrast of at least 4.5 (WCAG AA) for every piece of text, as the system's theme and as the other one."""
    driver = browser(pages.small(), dark=dark)
    background = "return getComputedStyle(document.body).backgroundColor"
    start = driver.execute_script(background)
    assert (start == "rgb(255, 255, 255)") is not dark
    assert driver.execute_script(CONTRAST) == []
    keys(driver, "t", *("t" if not dark else ""))
    assert driver.execute_script(background) != start
    assert driver.execute_script(CONTRAST) == []
    driver.refresh()
    assert driver.execute_script(background) != start  # remembered


CONTRAST = """
const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
const rgb = (colour, under) => {
  canvas.globalCompositeOperation = 'copy'; canvas.fillStyle = under; canvas.fillRect(0, 0, 1, 1);
  canvas.globalCompositeOperation = 'source-over'; canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
};
const back = (e) => {
  const colour = getComputedStyle(e).backgroundColor;
  return colour !== 'rgba(0, 0, 0, 0)' || !e.parentElement ? colour : back(e.parentElement);
};
const light = (c) => { const [r, g, b] = c.map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const bad = [];
for (const e of document.querySelectorAll('body *')) {
  if (!e.checkVisibility() || ![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
  const style = getComputedStyle(e), under = back(e);
  const a = light(rgb(e instanceof SVGElement ? style.fill : style.color, under)), b = light(rgb(under, 'white'));
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) bad.push([e.outerHTML.slice(0, 80), ratio]);
}
return bad.slice(0, 5);
"""


@pytest.mark.parametrize("width", [1400, 800, 380])
def test_no_width_makes_the_page_scroll_sideways(browser: Callable[..., Any], width: int) -> None:
    for report in (pages.small(), pages.hostile()):
        driver = browser(report, width=width)
        over = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert driver.execute_script(over) <= 0


def test_a_file_of_two_thousand_lines(browser: Callable[..., Any]) -> None:
    driver = browser(pages.long())
    timing = driver.execute_script("const t = performance.timing; return t.loadEventEnd - t.navigationStart")
    assert timing < 10_000  # a second or so on an idle machine
    assert seen(driver, "tr.replace") == 111 and driver.find_element("id", "count").text == "110 findings"
    keys(driver, *"jjj")
    assert "number 20" in driver.switch_to.active_element.text
    keys(driver, "u")
    assert driver.execute_script("return document.querySelectorAll('table.diff tr:not([hidden])').length") > 2200
    assert "number 20" in driver.switch_to.active_element.text
