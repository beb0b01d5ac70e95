"""For all tests: examples that are the same in every run, no figure window, and a browser for those that ask."""

import os

import pytest
from helpers import chromium
from hypothesis import settings

os.environ["MPLBACKEND"] = "agg"

settings.register_profile("book", derandomize=True, deadline=None, database=None, max_examples=30)
settings.load_profile("book")

collect_ignore = ["reference/pytorch_step.py"]  # PyTorch is not needed to run the tests


@pytest.fixture(scope="module", autouse=True)
def look_of_figures():
    """What one file of tests sets is not set for the next."""
    import matplotlib as mpl

    with mpl.rc_context():
        yield


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser
