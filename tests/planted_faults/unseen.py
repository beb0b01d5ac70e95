"""Faults that a sceptical reader planted by hand when the gate was thought to see them all, and that it did not see."""

import re

from planted_faults import Fault, added, of_json, swap

CONFIRMED = "tests/test_confirmed.py::test_nothing_has_changed_that_was_not_confirmed"
DOCUMENTS = "tests/test_project.py::test_the_documents_say_what_the_project_asks_for"
PRACTICE, RULES = "notebooks/1_5_in_practice.ipynb", "notebooks/1_3_6_updating_weights.ipynb"
TESTED, TEXT = ".github/workflows/test.yml", "has changed"


def fault(name, kind, file, change, says=TEXT, slow=False):
    return Fault(name, kind, file, change, CONFIRMED, says, slow)


def without(id):
    def edit(notebook):
        notebook["cells"] = [cell for cell in notebook["cells"] if cell["id"] != id]

    return edit


def other_cells(outcomes):
    outcome = next(one for one in outcomes["1.3.1"]["outcomes"] if "hinge" in one["cells"])
    outcome["cells"] = ["underflow", "logarithms"]


FAULTS = [
    fault("numbers-exchanged", "numbers", RULES, swap("times: 0.07 against 0.02.", "times: 0.02 against 0.07.")),
    fault(
        "words-of-an-alt-exchanged",
        "alts",
        RULES,
        swap("The shallow direction falls slowly from 1;", "The steep direction falls slowly from 1;"),
    ),
    fault("sign-in-a-formula-in-a-line", "formulas", RULES, swap("\\\\bigl(2(1+\\\\mu)", "\\\\bigl(2(1-\\\\mu)")),
    fault(
        "sign-in-a-formula-of-a-docstring",
        "formulas",
        "mlcore/optimizers.py",
        swap(r"\theta = \vartheta + \mu v", r"\theta = \vartheta - \mu v"),
    ),
    fault("heading-misspelt", "headings", RULES, swap("## Comparing fairly", "## Comparing fairy")),
    fault(
        "heading-of-another-level",
        "headings",
        "notebooks/1_3_3_chain_rule.ipynb",
        swap('"### Gates, sign and force', '"## Gates, sign and force'),
    ),
    fault("outcome-of-other-cells", "outcomes", "tests/outcomes.json", of_json(other_cells)),
    fault("outcome-with-another-number", "outcomes", "tests/outcomes.json", swap('"1075"', '"5"')),
    fault(
        "solution-and-second-answer-wrong",
        "exercises",
        "mlcore/teaching/exercises/gradient.py",
        lambda text: swap('"d": True, "e"', '"d": False, "e"')(swap('"d": 2 > 1, "e"', '"d": 1 > 2, "e"')(text)),
    ),
    fault("no-branch-is-tested", "workflows", TESTED, swap("  push:\n", "  push:\n    branches: [never]\n")),
    fault(
        "browser-never-asked",
        "workflows",
        TESTED,
        swap("      - run: make browser\n", "      - run: make browser\n        if: false\n"),
    ),
    fault("make-ignores-failures", "gate", "Makefile", swap("\n.PHONY:", "\n.IGNORE:\n.PHONY:")),
    fault(
        "gate-with-another-make",
        "gate",
        ".ci/run",
        swap("\nmake clean\n", '\nmake() { command make "$@" || true; }\nmake clean\n'),
    ),
    fault(
        "file-of-tests-not-collected",
        "gate",
        "tests/conftest.py",
        swap('["reference/pytorch_step.py"]', '["reference/pytorch_step.py", "test_numbers.py"]'),
    ),
    fault("a-style-of-fault-not-looked-for", "gate", "pyproject.toml", swap('"E", "F", "W"', '"E", "W"')),
    fault("warnings-of-the-build-let-through", "gate", "tools/build_site.py", swap('["-W", "-n", ', '["-n", ')),
    fault(
        "figure-excused-from-comparison",
        "gate",
        "tools/nbval_figures.py",
        swap("CHAOTIC = {", 'CHAOTIC = {"coin-figure": "line", '),
    ),
    fault(
        "one-test-removed",
        "gate",
        "tests/test_layers.py",
        swap("def test_gradient_of_sigmoid(", "def gradient_of_sigmoid("),
        "test_gradient_of_sigmoid is gone",
    ),
    Fault(
        "one-test-emptied",
        "gate",
        "tests/test_losses.py",
        added("\n\ndef test_of_nothing():\n    pass\n"),
        "tests/test_confirmed.py::test_no_test_is_empty",
        "test_of_nothing",
    ),
    fault("another-paper-by-its-number", "documents", "book/bibliography.md", swap("9780898717761", "9780898717716")),
    Fault("an-older-python-promised", "documents", "README.md", swap("Python 3.11 or", "Python 3.8 or"), DOCUMENTS),
    Fault("another-title-to-cite", "versions", "CITATION.cff", swap("\ntitle: How a", "\ntitle: How the"), DOCUMENTS),
    Fault(
        "a-chapter-by-another-name",
        "documents",
        "README.md",
        added("\n[1.3.2 Gradient](notebooks/1_3_3_chain_rule.ipynb)\n"),
        "tests/test_project.py::test_a_link_that_names_a_section_leads_to_it",
    ),
    Fault(
        "a-ratio-beside-its-quartiles",
        "documents",
        "benchmarks/results.json",
        swap('"ratio": 2.72,', '"ratio": 3.27,'),
        "tests/test_benchmarks.py::test_the_table_is_that_of_the_report",
    ),
    Fault(
        "one-half-counts-as-yes",
        "code",
        "mlcore/network.py",
        swap("right = (scores > 0) == (t > 0.5)", "right = (scores > 0) == (t >= 0.5)"),
        "tests/test_contract.py::test_a_target_of_one_half_means_no_in_fit_as_in_accuracy",
    ),
    Fault(
        "time-left-turned-over",
        "players",
        "book/assets/live/status.mjs",
        swap("(1 - part) / part", "part / (1 - part)"),
        "site tests/test_accessible.py::test_what_says_how_far_python_is_has_no_fault_and_tells_the_time_that_is_left",
    ),
    Fault(
        "loading-without-a-name",
        "players",
        "book/assets/live/status.mjs",
        swap(' aria-label="Loading Python"', ""),
        "site tests/test_accessible.py::test_what_says_how_far_python_is_has_no_fault_and_tells_the_time_that_is_left",
    ),
    Fault(
        "nobody-sees-where-the-keyboard-is",
        "pages",
        "book/assets/book.css",
        swap("outline: 3px solid var(--pst-color-accent) !important;", "outline: none !important;"),
        "site tests/test_accessible.py::test_where_the_keyboard_is_can_be_seen",
    ),
    # A second sceptic, after the first had been believed: words, tests that are weakened, what is installed elsewhere.
    fault(
        "a-sentence-turned-round",
        "words",
        PRACTICE,
        swap("Decay clearly lowers the *loss*", "Decay clearly raises the *loss*"),
    ),
    fault("a-number-word", "words", RULES, swap("twenty times as curved", "ten times as curved"), slow=True),
    fault(
        "nine-tenths-are-four-fifths",
        "words",
        "book/speed.md",
        swap("reaches nine tenths", "reaches four fifths"),
        slow=True,
    ),
    fault(
        "a-text-cell-gone",
        "words",
        "notebooks/1_3_4_computation_graph.ipynb",
        of_json(without("alias-stored")),
        "alias-stored is gone",
        slow=True,
    ),
    fault(
        "a-docstring-turned-round",
        "words",
        "mlcore/tuning.py",
        swap("LeCun's keeps it forward only", "LeCun's keeps it backward only"),
        slow=True,
    ),
    fault(
        "another-author-of-clipping",
        "words",
        "book/glossary.md",
        swap("limited separately ([Pascanu et al., 2013]", "limited separately ([Goyal et al., 2013]"),
        slow=True,
    ),
    fault(
        "another-name-in-the-contents",
        "words",
        "_toc.yml",
        swap("caption: To look things up", "caption: Exercises"),
        slow=True,
    ),
    fault(
        "practice-recommended-the-other-way",
        "words",
        "mlcore/teaching/exercises/whole_book.py",
        swap("did far better in a test", "did far worse in a test"),
        slow=True,
    ),
    fault("a-licence-with-warranty", "licences", "LICENSE", swap("WITHOUT WARRANTY", "WITH WARRANTY"), slow=True),
    fault(
        "labels-of-curves-exchanged",
        "figures",
        RULES,
        swap('factor[:, 0], label=\\"along the valley', 'factor[:, 1], label=\\"along the valley'),
        slow=True,
    ),
    fault("a-band-that-lets-all-through", "gate", "tests/helpers.py", swap("np.float64: 1e-7", "np.float64: 1e-1")),
    fault(
        "a-test-skipped",
        "gate",
        "tests/test_nodes.py",
        swap("def test_gradient_of_branch(", "@pytest.mark.skip\ndef test_gradient_of_branch("),
        slow=True,
    ),
    fault(
        "answers-given-away-in-binder",
        "environment",
        "binder/postBuild",
        swap("python tools/own_copy.py --here\n", ""),
        slow=True,
    ),
    fault(
        "another-user-of-the-container",
        "environment",
        ".devcontainer/devcontainer.json",
        swap('"student"', '"jovyan"'),
        slow=True,
    ),
    Fault(
        "a-rival-without-biases",
        "documents",
        "benchmarks/textbook.py",
        swap("self.grads[1][...] = np.sum(dout, axis=0)", "pass"),
        "tests/test_benchmarks.py::test_the_rival_written_here_takes_the_same_steps",
    ),
    Fault(
        "an-exponent-that-was-not-measured",
        "documents",
        "benchmarks/results.json",
        of_json(lambda report: report["scaling"]["width"].update(exponent=1.75)),
        "tests/test_benchmarks.py::test_an_exponent_is_that_of_the_last_three_points",
        slow=True,
    ),
    Fault(
        "more-mutants-killed-than-there-were",
        "documents",
        "tests/MUTANTS.md",
        lambda text: re.sub(r"(\| all \| \d+ \| )\d+", r"\g<1>897", text),
        "tests/test_tools.py::test_the_table_of_mutants_adds_up[MUTANTS.md]",
        slow=True,
    ),
    Fault(
        "a-hash-for-another-system",
        "environment",
        "binder/requirements.txt",
        lambda text: text.replace("sha256:" + text.partition("sha256:")[2][:8], "sha256:00000000", 1),
        "tests/test_project.py::test_a_package_has_the_same_hashes_in_all_locks",
        slow=True,
    ),
    Fault(
        "captions-gone-on-phones",
        "pages",
        "book/assets/book.css",
        added("\n@media (max-width: 500px) { figcaption { display: none; } }\n"),
        "site tests/test_narrow.py::test_all_that_is_read_is_there_on_a_phone_and_on_paper",
    ),
    Fault(
        "start-over-does-nothing",
        "players",
        "book/assets/live/controls.mjs",
        swap("again.onclick = () => this.want(this.picks());", ""),
        "site tests/test_controls.py::test_the_playground_trains_steps_and_stops",
    ),
]
