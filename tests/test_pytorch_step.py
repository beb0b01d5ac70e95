"""The training step with PyTorch: chapter 1.4 shows the program that was run, and the numbers that it gave."""

import ast
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = (ROOT / "tests" / "reference" / "pytorch_step.py").read_text(encoding="utf-8")
RESULT = json.loads((ROOT / "tests" / "reference" / "pytorch_step.json").read_text(encoding="utf-8"))
CHAPTER = json.loads((ROOT / "notebooks" / "1_4_putting_it_together.ipynb").read_text(encoding="utf-8"))
CELLS = {cell["id"]: "".join(cell["source"]) for cell in CHAPTER["cells"]}


def is_from_the_script(listing):
    """Whether imports and program of a listing both stand in the script, line by line."""
    imports, _, program = listing.strip().partition("\n\n")
    return all(f"\n{part}\n" in SCRIPT for part in (imports, program))


def listing():
    (code,) = re.findall(r"```python\n(.*?)```", CELLS["pytorch-text"], re.DOTALL)
    return code


def test_the_chapter_shows_the_program_that_was_run():
    assert is_from_the_script(listing())


@pytest.mark.parametrize(
    "old, new", [("lr=1.0", "lr=0.1"), ("    loss.backward()\n", ""), ("import torch\n", "import jax\n")]
)
def test_another_program_is_noticed(old, new):
    assert old in listing()
    assert not is_from_the_script(listing().replace(old, new, 1))


def test_the_chapter_compares_with_the_numbers_that_it_gave():
    stored = ast.literal_eval(re.search(r"^stored = (\{.*?\})", CELLS["pytorch-compare"], re.MULTILINE).group(1))
    assert {str(epoch): loss for epoch, loss in stored.items()} == RESULT["loss"]
    assert f"PyTorch {RESULT['right']}" in CELLS["pytorch-compare"]


def test_the_chapter_names_the_versions():
    versions = RESULT["versions"]
    assert f"PyTorch {versions['torch']} with NumPy {versions['numpy']}" in CELLS["pytorch-text"]
