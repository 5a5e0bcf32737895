"""What an installation brings: its extras, and what messages say about those that are missing."""

import re
import tomllib
from pathlib import Path

import pytest

from hyperlift.errors import EXTRAS, missing_package

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_extra_brings_what_messages_promise(extra):
    brought = {re.split(r"[<>=!\[]", requirement)[0] for requirement in PROJECT["optional-dependencies"][extra]}
    assert set(EXTRAS[extra]) <= brought


def test_a_message_names_the_extra():
    message = str(missing_package("h5py", "reading MATLAB files needs"))
    assert message == "reading MATLAB files needs h5py, which is not installed; pip install 'hyperlift[train]'"


def test_no_message_of_the_package_speaks_of_a_checkout():
    for path in sorted((ROOT / "lib").rglob("*.py")):
        said = path.read_text(encoding="utf-8")
        assert "constraints.txt" not in said, path
        assert not re.search(r"pip install (?!'hyperlift)", said), path


def test_addresses_share_one_placeholder():
    urls = PROJECT["urls"]
    assert all(url.startswith(urls["Homepage"]) for url in urls.values())


def test_python_versions_that_are_promised_are_tried():
    named = {line.rpartition(" ")[2] for line in PROJECT["classifiers"] if "Python :: 3." in line}
    workflow = (ROOT / ".github/workflows/ci.yml").read_text()
    assert named == {"3.11", "3.12", "3.13"}
    assert all(f'"{version}"' in workflow for version in named)
