"""Faults of the built site: what a page shows, where it leads, what it asks for, and what runs in it."""

import re

from planted_faults import Fault, added, swap

RUNNER, VISUAL = "book/assets/live/runner.py", "mlcore/teaching/visual.py"
LIVE = "book/assets/live/live.js"


def page(name, file, change, check, says="", kind="pages"):
    return Fault(name, kind, file, change, f"site {check}".strip(), says)


def of_site(name):
    return f"tests/test_site.py::{name}"


FAULTS = [
    # Found while the site is built
    page("link-to-no-page", "book/errata.md", added("\n[gone](no_such_page.md)\n"), "", "no_such_page"),
    page("link-to-no-heading", "book/notation.md", added("\n[gone](glossary.md#no-such-entry)\n"), "", "no-such-entry"),
    page(
        "formula-that-cannot-be-drawn",
        "book/notation.md",
        added("\nSo $\\nonsense{x}$ is.\n"),
        "",
        "nonsense",
        "formulas",
    ),
    Fault(
        "page-missing-from-the-contents",
        "pages",
        "_toc.yml",
        swap("      - file: book/speed\n", ""),
        "tests/test_pages.py::test_every_page_is_in_the_table_of_contents",
    ),
    # Found in what was built
    page(
        "picture-from-elsewhere",
        "book/errata.md",
        added('\n<img src="https://a.example/b.png" alt="A picture from elsewhere">\n'),
        of_site("test_no_page_asks_another_origin_for_anything"),
    ),
    page(
        "font-from-elsewhere",
        "book/assets/book.css",
        added('\n@import "https://a.example/font.css";\n'),
        "",
        "a.example/font.css",
    ),
    page(
        "script-from-elsewhere",
        "book/errata.md",
        added('\n<script src="https://a.example/b.js"></script>\n'),
        "",
        "a.example/b.js",
    ),
    page(
        "picture-without-words",
        "book/teachers.md",
        added('\n<img src="../_static/logo.svg" alt="">\n'),
        of_site("test_every_picture_has_an_alternative_text"),
        kind="alts",
    ),
    page(
        "anchor-of-no-cell",
        "book/errata.md",
        lambda text: text.replace("#cell-nesterov-first", "#cell-nesterov-frist", 1),
        of_site("test_every_internal_link_leads_somewhere"),
        "frist",
    ),
    page(
        "markup-that-reaches-the-reader",
        "book/teachers.md",
        added("\n&#42;&#42;bold&#42;&#42; and &#123;ref&#125;&#96;x&#96;\n"),
        of_site("test_no_markup_reaches_the_reader"),
    ),
    page(
        "table-that-miscounts-exercises",
        "book/teachers.md",
        lambda text: re.sub(r"(loss_function_practice\.ipynb\) \| )(\d+)", lambda m: m[1] + str(int(m[2]) + 1), text),
        of_site("test_the_tables_for_teachers_count_the_exercises"),
        kind="exercises",
    ),
    page(
        "policy-that-lets-all-in",
        "book/ext/book_live.py",
        swap('"default-src": "\'self\'"', '"default-src": "*"'),
        of_site("test_no_page_may_ask_another_origin_but_for_the_python_of_its_cells"),
    ),
    # Found in the browser
    page(
        "grey-text",
        "book/assets/look.css",
        added("\n.bd-article p { color: #aaa !important; }\n"),
        "tests/test_accessible.py::test_a_page_has_no_fault",
        "color-contrast",
    ),
    page(
        "button-without-a-name",
        "book/ext/book_live.py",
        swap('<button type="button" aria-label="{name} cell {number}">', '<button type="button">'),
        "tests/test_live.py::test_the_keyboard_is_enough",
        kind="players",
    ),
    page(
        "too-wide-for-a-phone",
        "book/assets/look.css",
        added("\n.bd-article p { white-space: nowrap; }\n"),
        "tests/test_narrow.py::test_nothing_is_out_of_reach",
    ),
    page(
        "script-that-stops",
        LIVE,
        added("\nthrow new Error('planted');\n"),
        "tests/test_live.py::test_nothing_is_asked_of_another_origin_and_no_python_before_the_first_click",
        kind="players",
    ),
    page(
        "prediction-judged-too-kindly",
        "book/assets/live/predict.js",
        swap("return near(guess, told, within, 0.01);", "return near(guess, told, within, 0.5);"),
        "tests/test_predict.py::test_the_page_judges_as_predict_does",
        kind="players",
    ),
    page(
        "solved-without-a-mark",
        "book/assets/solved.js",
        swap("    kept.add(name);\n", ""),
        "tests/test_live.py::test_what_is_solved_is_marked_where_nothing_can_be_kept",
        kind="players",
    ),
    # Found without a site
    Fault(
        "player-without-its-slider",
        "players",
        "mlcore/teaching/player.html",
        swap("frames.forEach((frame, i) => { frame.hidden = i !== now; });", ""),
        "nbval notebooks/1_3_overview.ipynb",
    ),
    Fault(
        "player-of-another-start",
        "players",
        VISUAL,
        swap('data-start="{self.start}"', 'data-start="1"'),
        "tests/test_visual.py::test_frames_may_be_pictures_from_elsewhere_and_say_whether_they_play",
    ),
    Fault(
        "cell-that-shows-the-poorer-form",
        "players",
        RUNNER,
        swap(
            '"_repr_svg_": "svg", "_repr_markdown_": "markdown"', '"_repr_markdown_": "markdown", "_repr_svg_": "svg"'
        ),
        "tests/test_runner.py::test_the_richest_form_is_shown",
    ),
    Fault(
        "cell-that-does-not-run-again",
        "players",
        RUNNER,
        swap("            del self.ran[later]  # what", "            pass  # what"),
        "tests/test_runner.py::test_cells_run_once_and_again_when_they_or_what_they_need_has_changed",
    ),
    Fault(
        "error-with-lines-of-the-page",
        "players",
        RUNNER,
        swap('if frame.filename.startswith("<cell ")', "if frame.filename"),
        "tests/test_runner.py::test_a_traceback_has_the_readers_lines_only",
    ),
    Fault(
        "figure-without-its-title",
        "figures",
        RUNNER,
        swap("[ax.get_title(), *axes, *lines,", "[ax.get_title(), *lines,"),
        "tests/test_runner.py::test_figures_stand_where_they_are_shown_and_say_what_is_in_them",
    ),
    Fault(
        "points-of-the-wrong-class",
        "figures",
        VISUAL,
        swap("ax.plot(*x[t == k].T,", "ax.plot(*x[t != k].T,"),
        "tests/test_visual.py::test_decision_boundary_draws_regions_and_points",
    ),
    Fault(
        "confusion-turned-over",
        "figures",
        VISUAL,
        swap("ax.text(j, i, n,", "ax.text(i, j, n,"),
        "tests/test_visual.py::test_confusion_writes_every_count_in_its_place",
    ),
    Fault(
        "curve-that-starts-too-early",
        "figures",
        VISUAL,
        swap("range(1, len(history[key]) + 1)", "range(len(history[key]))"),
        "tests/test_visual.py::test_history_draws_what_fit_returns",
    ),
]
