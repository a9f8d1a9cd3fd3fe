"""The dashboard in a real browser."""

from __future__ import annotations

import importlib.resources
import io
import re
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from dashboard import looks
from dashboard.views import PAGES
from lakepulse.brief import QUESTIONS
from lakepulse.data_dir import open_data_dir
from lakepulse.settings import Settings
from tests.dashboard import browser, sample
from tests.dashboard.browser import Browser
from tests.dashboard.conftest import Sql

pytestmark = [pytest.mark.browser, pytest.mark.skipif(browser.missing() is not None, reason=browser.missing() or "")]

PATHS = ["" if index == 0 else entry.path for index, entry in enumerate(PAGES)]


@pytest.fixture(scope="module")
def address(lake: Settings) -> Iterator[str]:
    with browser.served(lake.data_dir) as (address, _):
        yield address


@pytest.fixture(scope="module")
def desktop() -> Iterator[Browser]:
    with browser.chromium(1280) as opened:
        yield opened


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_every_page_opens_at_every_width_without_errors(address: str, width: int) -> None:
    with browser.chromium(width, dark=width == 768) as opened:
        for path, entry in zip(PATHS, PAGES, strict=True):
            opened.open(f"{address}/{path}")
            assert opened.driver.find_element(By.TAG_NAME, "h1").text == entry.title
            assert "Demo data" in opened.text()
            # Nothing is wider than the screen: a page scrolls in one direction only.
            overflow = "const main = document.querySelector('[data-testid=stMain]'); return main.scrollWidth - main.clientWidth"
            assert opened.driver.execute_script(overflow) <= 0, f"{entry.title} is wider than {width}"
            assert opened.complaints() == []


def test_every_chart_is_drawn_and_described(address: str, desktop: Browser) -> None:
    for path in PATHS[1:-1]:
        if path == "people":
            continue
        desktop.open(f"{address}/{path}{'?project=Apache+Iceberg' if path == 'project' else ''}")
        charts = desktop.driver.find_elements(By.CSS_SELECTOR, "[data-testid=stVegaLiteChart]")
        assert charts
        for chart in charts:
            desktop.driver.execute_script("arguments[0].scrollIntoView()", chart)
            desktop.until(partial(_is_drawn, chart))


def _is_drawn(chart: WebElement) -> bool:
    return any(part.rect["height"] > 80 for part in chart.find_elements(By.CSS_SELECTOR, "svg.marks, canvas"))


@pytest.mark.parametrize("path", ["pulls", "pypi"])
def test_a_pointer_on_a_chart_reads_a_day_and_a_figure(address: str, desktop: Browser, path: str) -> None:
    desktop.open(f"{address}/{path}?period=all+time")
    canvas = desktop.driver.find_element(By.CSS_SELECTOR, "[data-testid=stVegaLiteChart] canvas")
    desktop.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", canvas)
    # From the bottom up: bars may be low.
    for height in range(40, 0, -5):
        ActionChains(desktop.driver).move_to_element_with_offset(canvas, 20, canvas.size["height"] * height // 100).perform()
        shown = desktop.driver.find_elements(By.CSS_SELECTOR, "#vg-tooltip-element.visible")
        if shown:
            break
    assert re.match(r"20\d\d-\d\d-\d\d \(UTC\)\n", shown[0].text)
    assert re.search(r": [\d,.]+%? \([\d,]+ (merged|days with data)\)$", shown[0].text)


def test_a_link_shows_the_same_view_to_another_person(address: str, desktop: Browser) -> None:
    desktop.open(f"{address}/commits")
    field = desktop.driver.find_element(By.CSS_SELECTOR, ".st-key-project input")
    field.send_keys("Delta", Keys.ENTER)
    desktop.until_text("Delta Lake · 1 repository")
    field = desktop.driver.find_element(By.CSS_SELECTOR, ".st-key-period input")
    field.send_keys("90 days", Keys.ENTER)
    desktop.settle()
    desktop.until(lambda: "period=90" in desktop.driver.current_url)
    link = desktop.driver.current_url
    assert "project=Delta" in link
    with browser.chromium(1280, zone="Pacific/Kiritimati") as other:
        other.open(link)
        other.until_text("Delta Lake · 1 repository")
        other.until(lambda: _said(other) == _said(desktop))
        # The filters follow to the next page.
        other.driver.find_element(By.CSS_SELECTOR, "a[href*='/issues']").click()
        other.until_text("Answered within 7 days")
        other.settle()
        assert "Delta Lake · 1 repository" in other.text()
        assert "project=Delta" in other.driver.current_url


def _said(opened: Browser) -> list[str]:
    """The page's lines, except ages, which change; sorted, since a redrawn axis may reorder its labels."""
    return sorted(line for line in opened.main_text().splitlines() if " ago" not in line)


def _is_in_the_upper_half(opened: Browser, anchor: str) -> bool:
    script = (
        "const at = document.getElementById(arguments[0]).getBoundingClientRect().top; return at >= 0 && at < innerHeight / 2"
    )
    return bool(opened.driver.execute_script(script, anchor))


@pytest.mark.parametrize("project", ["Apache Iceberg", "Apache Hudi"])
def test_every_number_of_a_brief_links_to_its_heading(address: str, desktop: Browser, project: str) -> None:
    """For the numbers of one project; the Overview also opens at its own name."""
    desktop.open(f"{address}/overview?{urlencode({'project': project})}")
    assert desktop.driver.find_element(By.TAG_NAME, "h1").text == "Overview"
    links = [str(link.get_attribute("href")) for link in desktop.driver.find_elements(By.CSS_SELECTOR, ".lp-brief p a")]
    assert len(links) > 5
    for link in sorted({link for link in links if "#" in link}):
        desktop.driver.get("about:blank")
        desktop.open(link)
        anchor = link.partition("#")[2]
        # Even once the charts above are drawn, which push it down.
        desktop.until(partial(_is_in_the_upper_half, desktop, anchor))
        assert project in desktop.driver.title


class Calm(sample.Sample):
    """The sample on a day without trouble."""

    def _data_freshness(self) -> Iterator[sample.Row]:
        for row in super()._data_freshness():
            yield (*row[:8], False, *row[9:])


def test_the_first_page_answers_five_questions_for_each_project_without_scrolling(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, demo=True)
    open_data_dir(settings)
    now = datetime.now(UTC)
    sample.publish(settings, Calm(now.date(), revised=True), "calm", now)
    sample.record_run(settings, "calm", now.date(), now)
    with browser.served(tmp_path) as (address, _), browser.chromium(1366, 768) as opened:
        opened.resize(1366, 768)
        opened.open(address)
        cards = opened.driver.find_elements(By.CSS_SELECTOR, ".lp-brief")
        assert len(cards) == len(sample.PROJECTS)
        for card in cards:
            paragraphs = card.find_elements(By.TAG_NAME, "p")
            # The state, and an answer to each question.
            assert [words for words in QUESTIONS.values() if any(words in one.text for one in paragraphs)] == list(
                QUESTIONS.values()
            )
            for paragraph in paragraphs:
                box = opened.driver.execute_script("return arguments[0].getBoundingClientRect().toJSON()", paragraph)
                assert box["top"] >= 0
                assert box["bottom"] <= 768, paragraph.text
        # What changed is above.
        changed = opened.driver.find_element(By.CSS_SELECTOR, ".lp-news")
        assert changed.text.startswith("Alerts:")
        assert changed.location["y"] < cards[0].location["y"]
        assert opened.complaints() == []


def test_thirty_projects_do_not_hide_what_changed(tmp_path: Path) -> None:
    sample.build_large(tmp_path, projects=30)
    with browser.served(tmp_path) as (address, _), browser.chromium(1366, 768) as opened:
        opened.resize(1366, 768)
        opened.open(address)
        rows = opened.driver.find_elements(By.CSS_SELECTOR, ".lp-lines tbody tr")
        assert len(rows) == 30
        seen = [row for row in rows if row.location["y"] + row.size["height"] <= 768]
        assert len(seen) >= 5
        assert opened.driver.find_element(By.CSS_SELECTOR, ".lp-news").location["y"] < 300
        # A few screens, not a dozen.
        main = opened.driver.find_element(By.CSS_SELECTOR, "[data-testid=stMainBlockContainer]")
        assert main.size["height"] < 4 * 768


def test_the_as_of_picker_shows_an_older_publication(address: str, desktop: Browser, as_of: date) -> None:
    then = as_of - timedelta(days=7)
    desktop.open(address)
    field = desktop.driver.find_element(By.CSS_SELECTOR, ".st-key-as_of input")
    field.send_keys(then.isoformat(), Keys.ENTER)
    desktop.until_text(f"You are viewing the publication as of {then}")
    desktop.settle()
    assert f"As of {then}" in desktop.text()
    assert f"as_of={then}" in desktop.driver.current_url


def test_a_download_has_the_same_rows_as_sql(address: str, desktop: Browser, newest: Sql, as_of: date, tmp_path: Path) -> None:
    desktop.save_downloads_in(tmp_path)
    desktop.open(f"{address}/pypi?period=all+time&raw=true")
    card = desktop.driver.find_element(By.CSS_SELECTOR, ".st-key-card-downloads-by-day summary")
    desktop.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", card)
    card.click()
    desktop.until_text("Definition.")
    desktop.settle()
    for kind in ("csv", "parquet"):
        desktop.driver.find_element(By.CSS_SELECTOR, f".st-key-{kind}-downloads-by-day button").click()
    names = [tmp_path / f"lakepulse-downloads-by-day-{as_of}.{kind}" for kind in ("csv", "parquet")]
    desktop.until(lambda: all(name.exists() and name.stat().st_size for name in names))
    expected = newest(
        "SELECT package, date, downloads FROM fct_percent_change_downloads_overall "
        "WHERE category = 'without_mirrors' ORDER BY package, date"
    )
    for rows in (pacsv.read_csv(names[0]), pq.read_table(names[1])):
        assert rows.column_names == ["package", "date", "downloads"]
        assert [tuple(row.values()) for row in rows.to_pylist()] == expected


def test_days_are_utc_wherever_the_reader_is(address: str, as_of: date) -> None:
    """The same picture in every time zone: no day shifts by one."""
    pictures = set()
    for zone in ("UTC", "America/Los_Angeles", "Asia/Kolkata"):
        with browser.chromium(1280, zone=zone) as opened:
            days = f"period=custom&from={as_of - timedelta(days=3)}&to={as_of}"
            opened.open(f"{address}/commits?{days}&repo=apache%2Fhudi&raw=true")
            # The first that has days.
            chart = opened.driver.find_elements(By.CSS_SELECTOR, "[data-testid=stVegaLiteChart]")[3]
            opened.driver.execute_script("arguments[0].scrollIntoView()", chart)
            opened.until(partial(_is_drawn, chart))
            canvas = chart.find_element(By.CSS_SELECTOR, "canvas")
            pictures.add(opened.driver.execute_script("return arguments[0].toDataURL()", canvas))
    assert len(pictures) == 1


def test_hostile_text_does_nothing(address: str, desktop: Browser) -> None:
    for path in PATHS:
        desktop.open(f"{address}/{path}")
        assert "pwned" not in desktop.driver.title
        assert not desktop.driver.find_elements(By.CSS_SELECTOR, "img[src=x], [href^=javascript]")


def test_the_filters_are_reached_by_keyboard(address: str, desktop: Browser) -> None:
    desktop.open(address)
    reached = set()
    for _ in range(40):
        desktop.driver.switch_to.active_element.send_keys(Keys.TAB)
        focused = desktop.driver.switch_to.active_element
        reached.add(focused.get_attribute("aria-label") or focused.text)
    for name in ("Commits", "As of", "Projects", "Repositories", "Period"):
        assert any(name in (label or "") for label in reached), f"{name} is not reached: {reached}"


# Streamlit's data grids reuse the ids of their cells, which newer versions of axe no longer report; and this one takes what a
# closed disclosure hides for visible, before whatever lies there.
_AXE = """
axe.run({exclude: [['details:not([open]) > :not(summary)']]}, {
    preload: false, iframes: false, resultTypes: ['violations'],
    rules: {'duplicate-id-active': {enabled: false}, 'label-content-name-mismatch': {enabled: true}},
}).then(arguments[arguments.length - 1])
"""


@pytest.mark.parametrize(("width", "dark"), [(360, True), (768, False), (1280, False), (1280, True)])
def test_axe_finds_nothing_serious(address: str, width: int, dark: bool) -> None:
    axe = (importlib.resources.files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
    with browser.chromium(width, 2000, dark=dark) as opened:
        opened.driver.set_script_timeout(browser.PATIENCE)
        found = []
        for path in [*PATHS, "project?project=Apache+Iceberg"]:
            opened.open(f"{address}/{path}")
            opened.driver.execute_script(axe)
            report = opened.driver.execute_async_script(_AXE)
            found += [
                f"{path}: {problem['id']}: {node['html'][:200]}"
                for problem in report["violations"]
                if problem["impact"] in {"serious", "critical"}
                for node in problem["nodes"]
            ]
    assert found == []


def _first_canvas(opened: Browser) -> WebElement:
    chart = opened.driver.find_element(By.CSS_SELECTOR, "[data-testid=stVegaLiteChart]")
    opened.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", chart)
    opened.until(partial(_is_drawn, chart))
    return chart.find_element(By.CSS_SELECTOR, "canvas")


def _at(opened: Browser, canvas: WebElement, right: int, down: int) -> ActionChains:
    """The pointer at a place in a canvas, counted from its upper left corner."""
    width, height = canvas.size["width"], canvas.size["height"]
    return ActionChains(opened.driver).move_to_element_with_offset(canvas, right - width // 2, down - height // 2)


def _picture(opened: Browser, canvas: WebElement) -> Image.Image:
    data = opened.driver.execute_script("return arguments[0].toDataURL()", canvas)
    return Image.open(io.BytesIO(b64decode(data.partition(",")[2]))).convert("RGBA")


def _has(picture: Image.Image, colour: str, *, above: float) -> bool:
    """Whether the upper part of a picture has an opaque pixel of a colour."""
    upper = np.asarray(picture.crop((0, 0, picture.width, int(picture.height * above))))
    wanted = [int(colour[at : at + 2], 16) for at in (1, 3, 5)] + [255]
    return bool((np.abs(upper.astype(int) - wanted).max(axis=-1) <= 2).any())


PROJECTS = ("Apache Hudi", "Apache Iceberg", "Delta Lake")
COLOURS = [look.colour for look in looks.looks(tuple((name, "repo", name) for name in PROJECTS), dark=False).values()]


def test_an_exported_picture_has_its_title_and_legend(address: str, desktop: Browser, tmp_path: Path) -> None:
    desktop.save_downloads_in(tmp_path)
    desktop.open(f"{address}/issues")
    canvas = _first_canvas(desktop)
    _at(desktop, canvas, 300, 200).perform()
    button = desktop.driver.find_element(By.CSS_SELECTOR, "button[aria-label^='Download as PNG']")
    desktop.until(button.is_displayed)
    button.click()
    desktop.until(lambda: [path for path in tmp_path.glob("*.png") if path.stat().st_size])
    picture = Image.open(next(tmp_path.glob("*.png"))).convert("RGBA")
    # The legend is above the plot, and the title above the legend.
    assert all(_has(picture, colour, above=0.3) for colour in COLOURS)
    assert not any(_has(picture, colour, above=0.1) for colour in COLOURS)
    title = np.asarray(picture.crop((0, 0, picture.width, int(picture.height * 0.1))).convert("L"))
    assert (title < 100).sum() > 300


def test_fullscreen_keeps_title_and_legend(address: str, desktop: Browser) -> None:
    desktop.open(f"{address}/issues")
    canvas = _first_canvas(desktop)
    before = canvas.size["height"]
    _at(desktop, canvas, 300, 200).perform()
    button = desktop.driver.find_element(By.CSS_SELECTOR, "button[aria-label^='Fullscreen']")
    desktop.until(button.is_displayed)
    button.click()
    desktop.until(lambda: _first_canvas(desktop).size["height"] > before * 1.5)
    desktop.until(lambda: all(_has(_picture(desktop, _first_canvas(desktop)), colour, above=0.2) for colour in COLOURS))


def test_a_click_in_the_legend_fades_the_other_series(address: str, desktop: Browser) -> None:
    desktop.open(f"{address}/issues")
    canvas = _first_canvas(desktop)

    def lines() -> list[bool]:
        picture = _picture(desktop, canvas)
        plot = picture.crop((0, int(picture.height * 0.3), picture.width, picture.height))
        return [_has(plot, colour, above=1) for colour in COLOURS]

    desktop.until(lambda: lines() == [True, True, True])
    # Somewhere in this column is the first entry.
    for down in range(36, 90, 6):
        _at(desktop, canvas, 120, down).click().perform()
        if lines() == [True, False, False]:
            break
    assert lines() == [True, False, False]


def test_a_click_on_a_point_leads_to_what_is_behind_it(address: str, desktop: Browser) -> None:
    desktop.open(f"{address}/issues")
    canvas = _first_canvas(desktop)
    _at(desktop, canvas, canvas.size["width"] // 2, 250).click().perform()
    desktop.until_text("Behind the week of")
    assert "Of these, " in desktop.main_text()
    assert desktop.complaints() == []


def test_back_and_forward_go_through_the_filters(address: str, desktop: Browser) -> None:
    desktop.open(f"{address}/commits")

    def period() -> str:
        return str(desktop.driver.find_element(By.CSS_SELECTOR, ".st-key-period input").get_property("value"))

    desktop.driver.find_element(By.CSS_SELECTOR, ".st-key-period input").send_keys("90 days", Keys.ENTER)
    desktop.settle()
    desktop.until(lambda: "period=90" in desktop.driver.current_url)
    desktop.driver.find_element(By.CSS_SELECTOR, ".st-key-project input").send_keys("Delta", Keys.ENTER)
    desktop.until_text("Delta Lake · 1 repository")
    desktop.until(lambda: "project=Delta" in desktop.driver.current_url)
    desktop.driver.back()
    desktop.until_text("Apache Hudi, Apache Iceberg and Delta Lake")
    assert "project" not in desktop.driver.current_url
    assert period() == "90 days"
    desktop.driver.back()
    desktop.until(lambda: period() == "1 year")
    assert "period" not in desktop.driver.current_url
    desktop.driver.forward()
    desktop.until(lambda: period() == "90 days")
    assert desktop.complaints() == []


def test_every_page_has_a_title_of_its_own(address: str, desktop: Browser) -> None:
    titles = []
    for path in PATHS:
        desktop.open(f"{address}/{path}")
        titles.append(desktop.driver.title)
    assert titles == [f"{entry.title} · lakepulse" for entry in PAGES]


def test_the_focus_is_visible_in_the_top_navigation(address: str, desktop: Browser) -> None:
    desktop.open(f"{address}/commits")
    for _ in range(40):
        desktop.driver.switch_to.active_element.send_keys(Keys.TAB)
        focused = desktop.driver.switch_to.active_element
        if str(focused.get_attribute("href") or "").endswith("/issues"):
            break
    style = desktop.driver.execute_script(
        "const style = getComputedStyle(document.activeElement); return [style.outlineStyle, parseFloat(style.outlineWidth)]"
    )
    assert style[0] == "solid"
    assert style[1] >= 2


@pytest.mark.parametrize("path", ["commits", "issues", "pulls", "pypi"])
def test_zoomed_to_200_percent_the_first_screen_has_figures(address: str, path: str) -> None:
    """A laptop's screen of 1366 x 768 pixels has half of them each way. The legend has the newest figures."""
    with browser.chromium(683, 384) as opened:
        opened.open(f"{address}/{path}")
        chart = opened.driver.find_element(By.CSS_SELECTOR, "[data-testid=stVegaLiteChart]")
        opened.until(partial(_is_drawn, chart))
        assert chart.rect["y"] + 80 < 384
