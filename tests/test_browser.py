"""The page in a real browser: headless Chromium at a desk and on a phone, by day and by night."""

from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from msgspec import convert
from playwright.sync_api import sync_playwright

import reference
from pictures import chromium
from properties import verify
from properties.harness.report.data import Report
from properties.harness.report.page import render
from reference import notebook

CHROMIUM = chromium()
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>${alert(1)}{{7*7}}\'"'
DESK, PHONE, NARROW = (1280, 900), (390, 844), (320, 640)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: Debian's package is `chromium`"),
]


def hostile(*_):
    """What crashes with markup for a message."""
    raise ValueError(HOSTILE)


@pytest.fixture(scope="session")
def pages(once):
    """Reports as files: a refuted target, one that holds, and one whose every word is an attack."""

    def make(folder):
        refuted = {
            "max_pool": reference.max_pool,
            "max_pool_gradient": reference.mask_repeat,
            "gradients": notebook.gradients,
        }
        holds = {"max_pool": reference.max_pool, "gradients": reference.gradients}
        many = {"relu": np.abs, "arctan": hostile, "max_pool": reference.max_pool}
        targets = {
            "refuted": verify(refuted, keyword="not calls", name="mine.py", examples=20),
            "holds": verify(holds, keyword="not calls", examples=20),
            "many": verify(many, name="many.py", examples=5),
            "hostile": verify({"relu": hostile, "conv2d": hostile, "max_poool": len}, name=HOSTILE, examples=5),
        }
        for name, report in targets.items():
            (folder / f"{name}.html").write_text(render(convert(report.data, Report)), encoding="utf-8")
        return str(folder)

    return Path(once("pages", make))


@pytest.fixture(scope="module")
def browser():
    """One Chromium for all."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield launched
        launched.close()


@pytest.fixture
def opened(browser, pages):
    """Opens a report; what its console says and what it asks for beside itself are kept in `heard`."""
    contexts = []

    def opened(name, size=DESK, theme="light", **settings):
        width, height = size
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme, **settings)
        contexts.append(context)
        page = context.new_page()
        page.heard = []
        page.on("console", lambda message: page.heard.append(message.text))
        page.on("pageerror", lambda error: page.heard.append(str(error)))
        page.on("dialog", lambda dialog: page.heard.append(dialog.message))
        page.on("request", lambda request: page.heard.append(request.url))
        page.goto((pages / f"{name}.html").as_uri())
        page.heard.remove(page.url)
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("name", ["refuted", "holds", "hostile"])
def test_page_opens_without_an_error_or_a_request(opened, name):
    """Nothing is said on the console, and nothing is asked for but the page itself."""
    page = opened(name)
    page.wait_for_load_state("networkidle")
    assert page.heard == []


def test_failing_window_is_seen(opened):
    """The tied window is drawn with its numbers, both wrong entries are marked, and the mistake is named."""
    page = opened("refuted")
    article = page.locator("#max_pool_gradient")
    yours = article.get_by_role("img", name="yours, 1 by 2: 1, 1. Wrong: (0, 0), (0, 1)").first
    assert yours.is_visible()
    assert yours.bounding_box()["width"] > 50
    assert article.get_by_role("img", name="Tied: (0, 0), (0, 1)").first.is_visible()
    assert article.get_by_text("mask repeat: Every tied maximum gets the whole").first.is_visible()
    assert article.get_by_text("give it to one of them (argmax)").first.is_visible()


def test_links_lead_to_the_failures(opened):
    """A click on a refuted operation shows its failure."""
    page = opened("refuted")
    page.get_by_role("link", name="max_pool_gradient").first.click()
    heading = page.get_by_role("heading", name="max_pool_gradient is refuted")
    assert 0 <= heading.bounding_box()["y"] < DESK[1]


def test_reproduction_is_copied(opened):
    """The button puts the script into the clipboard as it stands, and says so."""
    page = opened("refuted", permissions=["clipboard-read", "clipboard-write"])
    page.locator("#max_pool_gradient").get_by_text("Standalone reproduction").first.click()
    button = page.get_by_role("button", name="Copy the reproduction of pooling.gradient_at_ties").first
    button.click()
    page.get_by_role("status").get_by_text("copied").first.wait_for()
    script = page.evaluate("navigator.clipboard.readText()")
    assert script == page.locator("#max_pool_gradient pre.copy").first.text_content()
    compile(script, "reproduction", "exec")
    assert "max_pool_gradient(x, (1, 2), upstream)" in script


def test_reproduction_is_selected_where_nothing_can_be_copied(opened):
    """Without a clipboard the button selects the script, and says so."""
    page = opened("refuted")
    page.evaluate("delete Navigator.prototype.clipboard")
    page.locator("#max_pool_gradient").get_by_text("Standalone reproduction").first.click()
    page.get_by_role("button", name="Copy the reproduction").first.click()
    page.get_by_role("status").get_by_text("copy it with your keyboard").first.wait_for()
    assert "max_pool_gradient" in page.evaluate("getSelection().toString()")


def shown(page):
    """The failures that can be seen, as far as the page has them: the operation and the outcome of each."""
    failures = page.locator("[data-operation]:visible")
    return failures.evaluate_all("all => all.map(each => [each.dataset.operation, each.dataset.outcome])")


def test_search_narrows_the_failures(opened):
    """Words, an operation and an outcome leave the failures that fit all of them, folded ones too, and say how many."""
    page = opened("many")
    every = page.locator("[data-operation]").count()
    page.get_by_label("Outcome").select_option("crashed")
    assert {tuple(one) for one in shown(page)} == {("arctan", "crashed")}
    page.get_by_label("Outcome").select_option("")
    page.get_by_label("Operation").select_option("relu")
    found = shown(page)
    assert {operation for operation, _ in found} == {"relu"}
    assert page.get_by_role("status").get_by_text(f"{len(found)} of {every} failures").is_visible()
    assert [link.text_content() for link in page.locator("[data-group]:visible a").all()] == ["relu"]
    page.get_by_label("Operation").select_option("")
    page.get_by_label("Search").fill("POSITIVE_part relu")
    assert shown(page) == [["relu", "refuted"]]
    page.get_by_label("Search").fill("import numpy")
    assert shown(page) == []
    assert page.locator("article:visible").count() == 0
    page.get_by_label("Search").fill("")
    assert page.locator("article:visible").count() == 2
    assert page.get_by_role("status").get_by_text("failures").count() == 0


def test_link_to_what_the_search_hides_shows_it(opened):
    """From the table of operations a failure is reached, whatever was searched for before."""
    page = opened("many")
    page.get_by_label("Operation").select_option("relu")
    page.locator("table").get_by_role("link", name="arctan").click()
    heading = page.get_by_role("heading", name="arctan is crashed")
    heading.wait_for()
    assert 0 <= heading.bounding_box()["y"] < DESK[1]


def test_without_its_script_the_page_has_all_but_the_search(opened):
    """Where scripts are off the failures are there, and no control that would do nothing."""
    page = opened("many", java_script_enabled=False)
    assert page.locator("article").count() == page.locator("article:visible").count() == 2
    assert not page.locator("form").is_visible()
    assert page.get_by_role("button").count() == 0


LINES = """() => {
    const lines = [];
    const selector = ":is(p, li, dd):not(.formula):not(:has(p, li, dd))";
    for (const block of document.querySelectorAll(selector)) {
        const counts = {}, walker = document.createTreeWalker(block, NodeFilter.SHOW_TEXT), range = new Range();
        while (walker.nextNode()) {
            if (walker.currentNode.parentElement.closest("svg, math")) continue;
            for (let at = 0; at < walker.currentNode.length; at += 1) {
                range.setStart(walker.currentNode, at);
                range.setEnd(walker.currentNode, at + 1);
                const box = range.getBoundingClientRect();
                if (box.width) counts[Math.round(box.top)] = (counts[Math.round(box.top)] ?? 0) + 1;
            }
        }
        lines.push(...Object.values(counts));
    }
    return lines;
}"""
WIDE = """() => [...document.querySelectorAll("pre")].map((block) => {
    const ruler = document.createElement("span"), style = getComputedStyle(block);
    ruler.textContent = "0".repeat(80);
    ruler.style.whiteSpace = "pre";
    block.append(ruler);
    const most = ruler.getBoundingClientRect().width;
    ruler.remove();
    const width = block.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    return [width, most, block.scrollWidth - block.clientWidth];
})"""


@pytest.mark.parametrize("name", ["refuted", "holds", "hostile"])
def test_lines_have_at_most_eighty_characters(opened, name):
    """However wide the screen, no line of text is longer than an eye follows, and none of a script or of numbers."""
    page = opened(name, (2560, 1200))
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert 60 < max(page.evaluate(LINES)) <= 80
    for width, most, beyond in page.evaluate(WIDE):
        assert width < most + 1
        assert beyond == 0


def test_names_break_at_dots_and_underscores_alone(opened):
    """On a narrow screen a long name goes on below after one of its parts, never within it."""
    page = opened("refuted", NARROW)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    lines = page.locator("h3, h4, th[scope=row]").evaluate_all("""names => names.map((name) => {
        const range = new Range(), tops = new Set(), walker = document.createTreeWalker(name, NodeFilter.SHOW_TEXT);
        let parted = 0;
        while (walker.nextNode()) {
            range.selectNodeContents(walker.currentNode);
            const rows = new Set([...range.getClientRects()].map((box) => box.top));
            rows.forEach((top) => tops.add(top));
            if (!walker.currentNode.data.includes(" ")) parted += rows.size > 1;
        }
        return [parted, tops.size];
    })""")
    assert sum(parted for parted, _ in lines) == 0
    assert max(rows for _, rows in lines) > 1


@pytest.mark.parametrize(
    ("name", "size", "theme"),
    [
        ("many", DESK, "dark"),
        ("refuted", DESK, "light"),
        ("refuted", PHONE, "dark"),
        ("holds", DESK, "dark"),
        ("holds", PHONE, "light"),
    ],
)
def test_page_is_accessible(opened, name, size, theme):
    """axe-core finds nothing wrong: headings, tables, names of pictures, contrast, what the keyboard reaches."""
    page = opened(name, size, theme, bypass_csp=True)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("size", [PHONE, NARROW], ids=["phone", "narrow"])
@pytest.mark.parametrize("name", ["refuted", "holds", "hostile"])
def test_page_fits_a_phone(opened, name, size):
    """The page is no wider than the screen; what is wider scrolls in a box of its own."""
    page = opened(name, size)
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]


def test_themes_differ_and_follow_the_reader(opened):
    """Ink is dark on light by day and light on dark by night, in the pictures too."""
    inks = {}
    for theme in ("light", "dark"):
        page = opened("refuted", theme=theme)
        color = "element => getComputedStyle(element).color.match(/[0-9]+/g).map(Number)"
        text, picture = (page.locator(selector).first.evaluate(color) for selector in (".backproof p", "figure svg"))
        assert text == picture
        inks[theme] = sum(text)
    assert inks["light"] < 100 < 600 < inks["dark"]


def test_print_has_no_buttons_and_white_paper(opened):
    """On paper there is nothing to press, what is open stays open, and the night is over."""
    page = opened("refuted", theme="dark")
    page.locator("#max_pool_gradient").get_by_text("Standalone reproduction").first.click()
    page.emulate_media(media="print")
    assert page.locator("#max_pool_gradient pre.copy").first.is_visible()
    assert not page.get_by_role("button").first.is_visible()
    paper = page.evaluate("getComputedStyle(document.querySelector('.backproof')).backgroundColor")
    assert paper == "rgb(255, 255, 255)"


def test_hostile_words_do_not_run(opened):
    """A target whose name and messages are markup gets them shown, letter by letter; no policy is needed for that."""
    page = opened("hostile", bypass_csp=True)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.hacked") is None
    assert page.heard == []
    assert page.locator("img[src]").count() == 0
    assert page.locator("script").count() == 1
    assert HOSTILE in page.locator("h1").text_content()
    assert HOSTILE in page.locator("#relu").first.text_content()


def test_policy_stops_what_is_not_the_pages_own(opened):
    """Were an element of a stranger's to get in, the policy would not let it run or ask for anything."""
    page = opened("hostile")
    page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "window.hacked = 1";
        document.body.append(script);
        document.body.insertAdjacentHTML("beforeend", "<img src='data:,x' onerror='window.hacked = 1'>");
    }""")
    page.wait_for_timeout(200)
    assert page.evaluate("window.hacked") is None
