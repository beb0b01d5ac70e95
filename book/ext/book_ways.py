"""Sphinx extension: buttons to the repository that this site comes from and to where its notebooks run (Binder and, if
it is on GitHub, Colab and VS Code), links from the reference to the source there, and a word where a cell differs.

The address is not written down anywhere, so the buttons of a copy lead to the copy: GitHub's workflow gives it, or the
variables BOOK_REPOSITORY (such as https://gitlab.com/you/book) and BOOK_BRANCH (main, unless set). Without them the
site has no such buttons.
"""

import functools
import importlib
import inspect
import os
from pathlib import Path
from urllib.parse import quote

import nbformat
from docutils import nodes

ROOT = Path(__file__).resolve().parent.parent.parent


def repository(environment):
    """Address and branch of where the site is published from, or None."""
    if address := environment.get("BOOK_REPOSITORY"):
        return address.removesuffix("/").removesuffix(".git"), environment.get("BOOK_BRANCH") or "main"
    reference = environment.get("GITHUB_REF", "")
    if environment.get("GITHUB_REPOSITORY") and reference.startswith("refs/heads/"):  # not a pull request's
        server = environment.get("GITHUB_SERVER_URL") or "https://github.com"
        return f"{server}/{environment['GITHUB_REPOSITORY']}", reference.removeprefix("refs/heads/")
    return None


def buttons(found):
    """The theme's options that show them."""
    if not found:
        return {}
    address, branch = found
    return {
        "repository_url": address,
        "repository_provider": "gitlab" if "gitlab" in address else "github",
        "repository_branch": branch,
        "use_repository_button": True,
        "use_issues_button": True,
        "launch_buttons": {"binderhub_url": "https://mybinder.org", "notebook_interface": "jupyterlab"},
    }


def add_buttons(app, config):
    config.html_theme_options.update(buttons(repository(os.environ)))
    config.linkcode_resolve = source_of


def source_of(domain, info):
    """Where the source of a class or function stands in the repository."""
    found = repository(os.environ)
    if not (found and info["module"]):
        return None
    try:
        thing = functools.reduce(getattr, info["fullname"].split("."), importlib.import_module(info["module"]))
        lines, first = inspect.getsourcelines(inspect.unwrap(thing))
    except (AttributeError, TypeError):  # a property, a setting, something that objects have only
        return None
    address, branch = found
    path = Path(inspect.getsourcefile(inspect.unwrap(thing))).relative_to(ROOT).as_posix()
    return f"{address}/blob/{branch}/{path}#L{first}-L{first + len(lines) - 1}"


def elsewhere(found, page):
    """Buttons for one notebook beside that to Binder: copies of their own for Colab, see `tools/colab_copies.py`."""
    address, branch = found
    home = address.removeprefix("https://github.com/")
    if home == address:
        return []
    places = {
        "Colab": (f"https://colab.research.google.com/github/{home}/blob/colab/{page}.ipynb", "fas fa-infinity"),
        "VS Code": (f"https://vscode.dev/github/{home}/blob/{branch}/{page}.ipynb", "fas fa-code"),
    }
    return [
        {"type": "link", "text": name, "tooltip": f"Open in {name}", "url": url, "icon": icon}
        for name, (url, icon) in places.items()
    ]


def add_to_launch(app, pagename, templatename, context, doctree):
    """The theme has made the group of buttons with Binder, on pages of notebooks: add the others."""
    for group in context.get("header_buttons", []):
        if group.get("label") == "launch-buttons":
            group["buttons"] += elsewhere(repository(os.environ), pagename)


def fill_in(app, name, source):
    """On the page for teachers, the link that brings the notebooks to a hub, for this repository."""
    if name == "book/teachers" and (found := repository(os.environ)):
        address, branch = found
        link = f"repo={quote(address, safe='')}&branch={quote(branch, safe='')}"
        source[0] = source[0].replace("repo=REPOSITORY&branch=BRANCH", link)
        source[0] = source[0].replace("tree/FOLDER/", f"tree/{address.rpartition('/')[2]}/")


def say_what_differs(app, doctree):
    """After a cell that puts out something else in the page than it did here, say why."""
    source = Path(app.env.doc2path(app.env.docname))
    if source.suffix != ".ipynb":
        return
    cells = nbformat.read(source, as_version=4).cells
    for container in [c for c in doctree.findall(nodes.container) if c.get("nb_element") == "cell_code"]:
        if reason := cells[container["cell_index"]].metadata.get("differs_in_browser"):
            words = nodes.paragraph("", "", nodes.emphasis(text=f"Run in this page, the cell differs: {reason}"))
            container.parent.insert(container.parent.index(container) + 1, words)


def setup(app):
    app.setup_extension("sphinx.ext.linkcode")
    app.connect("config-inited", add_buttons)
    app.connect("html-page-context", add_to_launch, priority=900)  # after the theme
    app.connect("source-read", fill_in)
    app.connect("doctree-read", say_what_differs)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
