"""Faults in what the project is made with: documents, versions, locks, licences, workflows, and the gate itself."""

import re

from planted_faults import Fault, added, gone, of_json, swap

GATE = "tests/test_gate.py::test_nothing_has_dropped_out_of_the_gate"
LISTED = "tests/test_gate.py::test_what_must_be_tested_is_there_and_listed"
WORKFLOW, TEST_YML = "tests/test_workflows.py::test_a_workflow_has_no_fault[test.yml]", ".github/workflows/test.yml"
LINK = "tests/test_project.py::test_every_link_of_a_document_leads_somewhere"
VERSION = "tests/test_project.py::test_the_version_is_the_same_everywhere"
FORMED = "tests/test_project.py::test_a_lock_names_exact_versions_with_hashes_and_no_place"
LICENCE = "tests/test_project.py::test_what_others_made_is_listed_with_its_licence"
READER = (
    "tests/test_project.py::test_the_reader_gets_the_versions_that_the_gate_has_tried_and_only_what_the_notebooks_need"
)
COMPARED = "tests/test_gate.py::test_every_cell_is_compared"


def without_package(name):
    """A lock without one of its packages."""

    def change(text):
        block = re.compile(rf"^{name}==.*?(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
        if not block.search(text):
            raise LookupError(name)
        return block.sub("", text, count=1)

    return change


def another_version(name):
    return lambda text: re.sub(rf"^{name}==[\d.]+", f"{name}==0.0.1", text, count=1, flags=re.MULTILINE)


def without_a_hash(text):
    """The first package of a lock, whatever its files."""
    return re.sub(r"(\n[\w.-]+==[^\n]*?)( \\\n    --hash=\S+)+", r"\1", text, count=1)


def tagged(tag):
    def edit(notebook):
        code = next(c for c in notebook["cells"] if c["cell_type"] == "code")
        code["metadata"].setdefault("tags", []).append(tag)

    return of_json(edit)


def silenced(notebook):
    code = next(c for c in notebook["cells"] if c["cell_type"] == "code")
    code["source"] = "# NBVAL_IGNORE_OUTPUT\n" + "".join(code["source"])


def faster(report):
    report["rows"][0]["ratio"] = 1.52


def entries_exchanged(text):
    """A glossary of which two neighbours have changed places."""
    head, *entries = re.split(r"(?=^## )", text, flags=re.MULTILINE)
    entries[3], entries[4] = entries[4], entries[3]
    return head + "".join(entries)


def other_names_gone(text):
    return re.sub(r"^\*Also called:\* .*\n", "", text, count=1, flags=re.MULTILINE)


def tied_to_nothing(known):
    chapter = next(iter(known.values()))
    next(iter(chapter.values())).popitem()


ONLY_MAIN = "    if: github.ref == 'refs/heads/main' && github.event_name != 'pull_request'\n"
PUBLISHES = f"  publish:\n    needs: test\n{ONLY_MAIN}    runs-on"
FAULTS = [
    # Documents
    Fault(
        "changelog-with-a-dead-link",
        "documents",
        "CHANGELOG.md",
        added("\n[gone](docs/gone.md)\n"),
        LINK + "[CHANGELOG.md]",
    ),
    Fault(
        "contributing-leads-to-no-heading",
        "documents",
        "README.md",
        added("\n[How](CONTRIBUTING.md#how-it-never-was)\n"),
        LINK + "[README.md]",
    ),
    Fault(
        "readme-names-no-command",
        "documents",
        "README.md",
        swap("make book   # build", "make books   # build"),
        "tests/test_project.py::test_every_command_in_the_documents_exists",
    ),
    Fault(
        "glossary-out-of-order",
        "documents",
        "book/glossary.md",
        entries_exchanged,
        "tests/test_pages.py::test_the_glossary_is_in_order",
    ),
    Fault(
        "glossary-entry-without-names",
        "documents",
        "book/glossary.md",
        other_names_gone,
        "tests/test_pages.py::test_every_entry_of_the_glossary_has_its_chapter_and_its_other_names",
    ),
    Fault(
        "default-of-a-library-changed",
        "documents",
        "tests/reference/conventions.json",
        lambda text: text.replace('"Keras": 0.01', '"Keras": 0.02', 1),
        "tests/test_pages.py::test_the_defaults_are_those_of_the_libraries",
    ),
    Fault(
        "benchmark-with-another-ratio",
        "documents",
        "benchmarks/results.json",
        of_json(faster),
        "tests/test_benchmarks.py::test_the_table_is_that_of_the_report",
    ),
    Fault(
        "speed-with-another-number",
        "documents",
        "book/speed.md",
        swap("45 to 85 % more time", "45 to 65 % more time"),
        "tests/test_pages.py::test_the_page_on_speed_says_how_far_the_textbook_is_ahead_in_float32",
    ),
    Fault(
        "words-that-read-as-translated",
        "documents",
        "book/teachers.md",
        added("\nWhoever reads this learns the derivative by $x$.\n"),
        "tests/test_pages.py::test_a_page_reads_as_english[teachers]",
    ),
    Fault(
        "source-of-a-number-gone",
        "numbers",
        "tests/numbers.json",
        of_json(tied_to_nothing),
        "tests/test_numbers.py::test_every_number_in_the_text_comes_from_a_cell_or_says_why_not",
        "where does .* come from",
    ),
    # Versions
    Fault("citation-of-another-version", "versions", "CITATION.cff", swap("version: 0.1.0", "version: 0.2.0"), VERSION),
    Fault("changelog-ahead", "versions", "CHANGELOG.md", swap("## [Unreleased]", "## [0.3.0] - 2026-11-27"), VERSION),
    Fault(
        "package-of-another-version",
        "versions",
        "pyproject.toml",
        swap('version = "0.1.0"', 'version = "0.1.1"'),
        VERSION,
    ),
    Fault(
        "citation-invalid",
        "versions",
        "CITATION.cff",
        swap("type: software", "type: book"),
        "tests/test_project.py::test_the_citation_is_valid_and_an_invalid_one_is_found",
        slow=True,
    ),
    # Environment
    Fault("lock-without-hashes", "environment", "requirements.txt", without_a_hash, FORMED),
    Fault("binder-without-the-kernel", "environment", "binder/requirements.txt", without_package("ipykernel"), READER),
    Fault("binder-with-another-numpy", "environment", "binder/requirements.txt", another_version("numpy"), READER),
    Fault(
        "binder-with-an-old-python",
        "environment",
        "binder/runtime.txt",
        swap("python-3.12", "python-3.9"),
        "tests/test_project.py::test_binder_has_a_python_that_the_lock_is_for_and_installs_the_package",
    ),
    Fault(
        "binder-without-the-package",
        "environment",
        "binder/postBuild",
        swap("pip install --no-cache-dir --no-deps --editable .", "true"),
        "tests/test_project.py::test_binder_has_a_python_that_the_lock_is_for_and_installs_the_package",
    ),
    Fault(
        "dependency-without-its-oldest",
        "environment",
        "pyproject.toml",
        swap('dependencies = ["numpy>=2.0"]', 'dependencies = ["numpy"]'),
        "tests/test_gate.py::test_other_versions_are_tried_with_all_that_needs_no_site",
    ),
    Fault(
        "installed-by-a-name-of-others",
        "environment",
        "README.md",
        added("\nOr `pip install " + "mlcore`.\n"),
        "tests/test_project.py::test_nothing_installs_the_package_by_its_name",
    ),
    Fault(
        "a-book-that-ignores-its-configuration",
        "environment",
        "requirements.txt",
        lambda text: re.sub(r"^jupyter-book==[\w.]+", "jupyter-book==2.0.0", text, flags=re.MULTILINE),
        "tests/test_project.py::test_the_book_is_not_built_by_a_version_that_ignores_its_configuration",
    ),
    # Licences
    Fault(
        "script-not-listed",
        "licences",
        "LICENSES.md",
        lambda t: re.sub(r"^\| axe-core.*\n", "", t, flags=re.MULTILINE),
        LICENCE,
    ),
    Fault("font-not-listed", "licences", "book/assets/fonts/extra.ttf", added("a font"), LICENCE),
    Fault(
        "licence-of-another-kind", "licences", "book/assets/fonts/LICENSE-OFL", lambda text: "MIT License\n", LICENCE
    ),
    # Workflows
    Fault(
        "started-by-strangers",
        "workflows",
        TEST_YML,
        swap("  pull_request:\n", "  pull_request_target:\n"),
        WORKFLOW,
        "is started by",
    ),
    Fault(
        "action-by-its-tag",
        "workflows",
        TEST_YML,
        lambda text: re.sub(r"actions/checkout@\S+ # \S+", "actions/checkout@v6", text, count=1),
        WORKFLOW,
        "pinned actions",
    ),
    Fault(
        "a-right-too-many",
        "workflows",
        TEST_YML,
        swap("      pages: write", "      contents: write\n      pages: write"),
        WORKFLOW,
        "rights of jobs",
    ),
    Fault(
        "published-from-any-branch",
        "workflows",
        TEST_YML,
        swap(PUBLISHES, "  publish:\n    needs: test\n    runs-on"),
        WORKFLOW,
        "elsewhere than main",
    ),
    Fault(
        "a-second-workflow",
        "workflows",
        ".github/workflows/other.yml",
        added("name: Other\non: push\njobs: {}\n"),
        "tests/test_workflows.py::test_all_workflows_are_listed",
    ),
    Fault("a-misspelt-key", "workflows", TEST_YML, swap("timeout-minutes: 45", "timeout-minute: 45"), "lint"),
    # The gate
    Fault("numbers-no-longer-tested", "gate", "tests/test_numbers.py", gone, LISTED, "tests that are gone"),
    Fault("exercises-no-longer-tested", "gate", "tests/test_practice.py", gone, LISTED, "tests that are gone"),
    Fault("a-test-that-nobody-runs", "gate", "tests/test_extra.py", added("def test_nothing():\n    pass\n"), LISTED),
    Fault(
        "notebooks-no-longer-compared", "gate", "Makefile", swap("\t@$(MAKE) --no-print-directory verify\n", ""), GATE
    ),
    Fault("coverage-of-a-tenth", "gate", "pyproject.toml", swap("fail_under = 100", "fail_under = 10"), GATE),
    Fault("a-failure-passed-over", "gate", ".ci/run", swap("make test\n", "make test || true\n"), GATE),
    Fault(
        "cell-skipped",
        "gate",
        "notebooks/1_3_3_chain_rule.ipynb",
        tagged("nbval-skip"),
        COMPARED + "[1_3_3_chain_rule]",
    ),
    Fault(
        "error-allowed",
        "gate",
        "notebooks/1_3_6_updating_weights.ipynb",
        tagged("raises-exception"),
        COMPARED + "[1_3_6_updating_weights]",
    ),
    Fault(
        "cell-ignored-by-a-comment",
        "gate",
        "notebooks/1_3_2_gradient.ipynb",
        of_json(silenced),
        COMPARED + "[1_3_2_gradient]",
    ),
    Fault(
        "warnings-no-longer-errors",
        "gate",
        "pyproject.toml",
        swap('filterwarnings = ["error", ', "filterwarnings = ["),
        GATE,
    ),
    Fault("an-unused-name", "gate", "mlcore/tuning.py", added("\nimport os\n"), "lint", "F401|E402"),
]
