"""The wheel holds what it should and nothing else."""

from __future__ import annotations

import configparser
import subprocess
import sys
import tomllib
import zipfile

import pytest

from .tree import ROOT, SOURCES, python_files

DEMOS = {"durably/cli/demos/demo_crew.py", "durably/cli/demos/demo_team.py"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from the checkout."""
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT],
        check=True,
        capture_output=True,
    )
    [made] = out.glob("durably-*.whl")
    with zipfile.ZipFile(made) as opened:
        yield opened


def settings():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def modules():
    """Return every module as it is called in the wheel."""
    return {
        path.relative_to(ROOT / root).as_posix() for root in SOURCES for path in python_files(root)
    }


def test_every_module_is_in_and_no_other(wheel):
    """The wheel's Python files are those of the source roots, and the demo programs."""
    held = {name for name in wheel.namelist() if name.endswith(".py")}
    assert held == modules() | DEMOS


def test_nothing_strays_in(wheel):
    """Besides modules there are only type markers, data of packages and the metadata."""
    version = settings()["version"]
    others = [
        name
        for name in wheel.namelist()
        if not name.endswith((".py", "/py.typed"))
        and not name.startswith((f"durably-{version}.dist-info/", "durably_ui/"))
    ]
    assert others == []
    assert not [name for name in wheel.namelist() if "__pycache__" in name]


def test_every_package_is_typed(wheel):
    """Type checkers follow each package into its annotations."""
    packages = {name.partition("/")[0] for name in modules()}
    assert {f"{one}/py.typed" for one in packages} <= set(wheel.namelist())


def test_the_demo_programs_are_the_examples(wheel):
    """``durably demo`` writes out the very files that are in ``examples/``."""
    for name in DEMOS:
        example = ROOT / "examples" / name.rpartition("/")[2]
        assert wheel.read(name) == example.read_bytes()


def test_the_entry_points_are_the_projects_own(wheel):
    """The command and the first-party plug-ins are registered as the project file says."""
    [name] = [one for one in wheel.namelist() if one.endswith("entry_points.txt")]
    parser = configparser.ConfigParser()
    parser.read_string(wheel.read(name).decode())
    assert dict(parser["console_scripts"]) == settings()["scripts"]
    assert dict(parser["durably"]) == settings()["entry-points"]["durably"]


def test_every_plug_in_that_is_registered_is_in(wheel):
    """An entry point names a module that the wheel holds."""
    for module in settings()["entry-points"]["durably"].values():
        assert f"{module.replace('.', '/')}/__init__.py" in wheel.namelist()


def test_the_licence_is_in(wheel):
    """Whoever gets the wheel gets the licence."""
    assert [name for name in wheel.namelist() if name.endswith("licenses/LICENSE")]
