"""The package as a whole: what it imports, what it exports, and that everything public is documented."""

import ast
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import mlcore
import mlcore.teaching

ROOT = Path(mlcore.__file__).parents[1]
CORE = [f"mlcore.{module.name}" for module in pkgutil.iter_modules(mlcore.__path__) if module.name != "teaching"]
TEACHING = [module.name for module in pkgutil.walk_packages(mlcore.teaching.__path__, "mlcore.teaching.")]
PUBLIC_MODULES = [name for name in CORE if not name.startswith("mlcore._")]
SECTIONS = {  # what each module of the core is about
    "1.3.1": ["functions"],
    "1.3.2": ["gradients"],
    "1.3.4": ["nodes", "graph"],
    "1.3.5": ["contract", "layers", "losses"],
    "1.3.6": ["optimizers"],
    "1.4": ["network", "datasets", "storage"],
    "1.5": ["tuning"],
}
PUBLIC = [getattr(mlcore, name) for name in mlcore.__all__]
CLASSES = [thing for thing in PUBLIC if inspect.isclass(thing)]
FUNCTIONS = [thing for thing in PUBLIC if inspect.isfunction(thing)]
RULES = [thing for thing in CLASSES if issubclass(thing, mlcore.Optimizer) and thing is not mlcore.Optimizer]
WITH_EQUATION = ("mlcore.nodes", "mlcore.layers", "mlcore.losses", "mlcore.functions")


def name_of(thing):
    return thing.__name__


def run(code):
    """What a fresh interpreter prints; a warning is a fault, but for what other packages deprecate."""
    command = [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-c", code]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout.split()


# -- imports --


def test_importing_mlcore_needs_numpy_and_the_standard_library_only():
    code = (
        "import sys; before = set(sys.modules); import mlcore; "
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
    )
    foreign = {name for name in run(code) if name not in sys.stdlib_module_names}
    assert foreign == {"mlcore", "numpy"}


def test_visual_adds_matplotlib():
    assert run("import sys, mlcore.teaching; print('matplotlib' in sys.modules)") == ["False"]
    assert run("import sys, mlcore.teaching.visual; print('matplotlib' in sys.modules)") == ["True"]


def teaching_imports(path):
    """The imports of `mlcore.teaching` in a file: whether each stands in a function, and the function's name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside = {id(n): f.name for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) for n in ast.walk(f)}
    for node in ast.walk(tree):
        named = [a.name for a in node.names] if isinstance(node, ast.Import) else [getattr(node, "module", None) or ""]
        if isinstance(node, ast.Import | ast.ImportFrom) and any(n.startswith("mlcore.teaching") for n in named):
            yield inside.get(id(node))


def test_the_core_asks_for_what_teaches_only_when_a_picture_is_asked_for():
    found = {(name, f) for name in ["mlcore", *CORE] for f in teaching_imports(Path(sys.modules[name].__file__))}
    assert found == {("mlcore.graph", "draw"), ("mlcore.graph", "steps")}
    loaded = run(f"import sys, mlcore, {', '.join(CORE)}; print(*sys.modules)")
    assert not [name for name in loaded if name.startswith("mlcore.teaching")]


def test_an_import_of_what_teaches_is_found(tmp_path):
    module = tmp_path / "module.py"
    module.write_text("def f():\n    import mlcore.teaching.visual\nfrom mlcore.teaching import check\n")
    assert sorted(teaching_imports(module), key=str) == [None, "f"]


def test_the_core_holds_a_module_for_each_section_and_what_they_share():
    assert sorted(sum(SECTIONS.values(), [])) == [name.removeprefix("mlcore.") for name in PUBLIC_MODULES]
    for section, names in SECTIONS.items():
        assert all(section in importlib.import_module(f"mlcore.{name}").__doc__ for name in names)


def imports(path):
    """The top-level names of everything that a file imports, wherever the import stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and all(alias.name != "*" for alias in node.names)
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("path", sorted((ROOT / "mlcore").rglob("*.py")), ids=lambda path: path.name)
def test_only_what_draws_mentions_matplotlib(path):
    allowed = {"mlcore", "numpy", *sys.stdlib_module_names}
    drawing = {"matplotlib", "matplotlib_inline", "ipywidgets", "IPython"}
    pictures = {"visual.py": drawing, "controls.py": drawing, "playground.py": drawing}
    allowed |= (pictures | {"network.py": {"tqdm"}}).get(path.name, set())
    assert set(imports(path)) <= allowed
    assert ("matplotlib" in path.read_text(encoding="utf-8").lower()) == (path.name in pictures)


@pytest.mark.parametrize("name", [*CORE, *TEACHING])
def test_every_module_can_be_imported_first(name):
    run(f"import {name}")


# -- names --


def test_all_is_complete_sorted_and_importable():
    here = {name for name, thing in vars(mlcore).items() if not name.startswith("_") and not inspect.ismodule(thing)}
    here |= {"load", "save"}  # imported when they are first used
    assert set(mlcore.__all__) == here and len(set(mlcore.__all__)) == len(mlcore.__all__)
    starred = run("from mlcore import *; print(*dir())")
    assert set(mlcore.__all__) <= set(starred) and "np" not in starred


def test_what_is_not_there_is_no_attribute():
    assert mlcore.save is mlcore.storage.save
    with pytest.raises(AttributeError, match="'mlcore' has no attribute 'Conv'"):
        mlcore.Conv  # noqa: B018


def test_every_public_name_of_the_contract_is_there():
    contract = """sigmoid softmax log_softmax cross_entropy_error softmax_cross_entropy sigmoid_cross_entropy
        numerical_gradient gradient_check Add Multiply Branch Repeat Sum MatMul Sigmoid Affine SoftmaxWithLoss
        SigmoidWithLoss SGD Momentum Nesterov AdaGrad RMSprop Adam Sequential fit load_spiral load_digits"""
    assert set(contract.split()) <= set(mlcore.__all__)


def test_version_is_that_of_the_project():
    assert f'\nversion = "{mlcore.__version__}"\n' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_everything_public_in_a_module_is_exported_by_the_package():
    for name in PUBLIC_MODULES:
        module = importlib.import_module(name)
        own = {n for n, thing in vars(module).items() if getattr(thing, "__module__", None) == name and n[0] != "_"}
        assert own & set(mlcore.__all__), name


# -- documentation --


def sections(thing):
    return re.findall(r"^(\w+)\n-+$", inspect.getdoc(thing), flags=re.MULTILINE)


@pytest.mark.parametrize("name", ["mlcore", *CORE, *TEACHING])
def test_every_module_says_what_it_is(name):
    assert importlib.import_module(name).__doc__.strip()


@pytest.mark.parametrize("thing", PUBLIC, ids=name_of)
def test_everything_public_has_a_summary_line_and_an_example(thing):
    summary = inspect.getdoc(thing).splitlines()[0]
    assert summary.endswith((".", ":")) and summary[0].isupper()
    assert "Examples" in sections(thing)
    assert ">>>" in inspect.getdoc(thing).partition("Examples\n")[2]


@pytest.mark.parametrize("thing", [t for t in PUBLIC if "datasets" not in t.__module__], ids=name_of)
def test_everything_public_says_what_it_raises_and_where_the_book_treats_it(thing):
    if thing is mlcore.Optimizer:  # a base class: its update says what it raises
        assert "Raises" in sections(mlcore.Optimizer.update)
        return
    assert {"Raises", "References"} <= set(sections(thing))
    assert "Section 1." in inspect.getdoc(thing)


@pytest.mark.parametrize("thing", FUNCTIONS, ids=name_of)
def test_every_function_documents_its_parameters_and_its_result(thing):
    doc, signature = inspect.getdoc(thing), inspect.signature(thing)
    assert "Returns" in sections(thing)
    for parameter in signature.parameters.values():
        assert re.search(rf"^(.*, )?\*?{parameter.name}(, .*)? : |^\*{parameter.name}", doc, flags=re.MULTILINE), (
            parameter
        )


@pytest.mark.parametrize("thing", CLASSES, ids=name_of)
def test_every_class_documents_its_parameters_and_its_methods(thing):
    for parameter in inspect.signature(thing).parameters.values():
        if parameter.kind is not parameter.VAR_POSITIONAL or thing is mlcore.Sequential:
            assert re.search(rf"^(.*, )?\*?{parameter.name}(, .*)? : ", inspect.getdoc(thing), flags=re.MULTILINE)
    for name, method in vars(thing).items():
        if inspect.isfunction(method) and not name.startswith("_"):
            assert method.__doc__, name


@pytest.mark.parametrize("thing", [t for t in PUBLIC if t.__module__ in WITH_EQUATION], ids=name_of)
def test_every_node_layer_loss_and_function_shows_its_equation(thing):
    assert ".. math::" in inspect.getdoc(thing)


@pytest.mark.parametrize("thing", RULES, ids=name_of)
def test_every_rule_shows_its_equation_and_names_its_state(thing):
    doc = inspect.getdoc(thing)
    assert ".. math::" in doc
    for name in thing.state_names:
        assert re.search(rf"^(.*, )?{name}(, .*)? : list of ndarray", doc, flags=re.MULTILINE)


@pytest.mark.parametrize("name", PUBLIC_MODULES)
def test_forward_stands_above_backward(name):
    for node in ast.parse((ROOT / f"{name.replace('.', '/')}.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            methods = [n.name for n in node.body if isinstance(n, ast.FunctionDef)]
            if "backward" in methods and node.name != "Variable":  # whose forward is the expression itself
                assert methods.index("forward") + 1 == methods.index("backward")
