"""The addon as its users get it: a wheel, installed into an environment of its own, installed from there into Odoo."""

import subprocess
import venv
import zipfile
from pathlib import Path

import pytest
from dev import database, environment, odoo, odoo_source
from dev.paths import DATA_DIR, MANIFEST, ROOT, VENV_PYTHON

DATABASE = "test_wheel"
LEFT_OUT = {
    *{"tests", "benchmarks", "scripts", "docs"},
    *{".ci", ".gitattributes", ".gitignore", "Makefile", "pyproject.toml", "requirements.txt"},
}


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """Built by pip, as `pip install` of a clone does it; without isolation only because whool is here already."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "--quiet"]
    subprocess.run([VENV_PYTHON, "-m", "pip", "wheel", *options, "-w", folder, ROOT], check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def site_packages(wheel, tmp_path_factory):
    """A fresh environment that has the wheel. Odoo and the other packages come from the development environment."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder)
    packages = environment.site_packages(folder)
    (packages / "odoo_source.pth").write_text(f"{environment.site_packages()}\n{odoo_source.ensure().python_path}\n")
    pip = [VENV_PYTHON, "-m", "pip", "--python", folder / "bin" / "python", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", wheel], check=True)
    return packages


@pytest.fixture
def fresh_database():
    database.create_from_template(DATABASE, odoo_source.ensure())
    yield DATABASE
    database.drop(DATABASE)


def test_wheel_is_named_after_the_addon(wheel):
    assert wheel.name.startswith("odoo_addon_credit_insurance-19.0.")


def test_wheel_holds_the_addon_and_nothing_else(wheel):
    """A new file or folder at the root of the repository has to be put on one side or the other."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    tracked = {Path(name).parts[0] for name in listed.splitlines()}
    packed = {Path(name).parts[3] for name in _addon_files(wheel)}
    assert tracked - packed == tracked & LEFT_OUT
    assert not packed & LEFT_OUT
    assert {"__init__.py", "__manifest__.py", "credit_insurance", "rules", "connectors", "LICENSE"} <= packed


def test_wheel_holds_every_file_the_manifest_names(wheel):
    manifest = eval(compile(MANIFEST.read_text(), MANIFEST, "eval"), {"__builtins__": {}})
    packed = {"/".join(Path(name).parts[3:]) for name in _addon_files(wheel)}
    assert {*manifest["data"], *manifest["demo"]} <= packed


def test_wheel_requires_what_the_addon_needs(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("METADATA")]
        metadata = archive.read(name).decode()
    required = {line.partition(": ")[2] for line in metadata.splitlines() if line.startswith("Requires-Dist:")}
    assert required >= {"odoo-addon-queue_job==19.0.*", "odoo==19.0.*", "durable_rules", "requests", "lxml", "PyYAML"}


def test_addon_installs_from_the_wheel(site_packages, fresh_database):
    addons = [
        *odoo_source.ensure().addons,
        environment.site_packages() / "odoo" / "addons",
        site_packages / "odoo" / "addons",
    ]
    done = subprocess.run(
        [
            *[site_packages.parents[2] / "bin" / "python", "-m", "odoo", f"--database={fresh_database}", "--no-http"],
            *[f"--addons-path={','.join(map(str, addons))}", f"--data-dir={DATA_DIR}", "--max-cron-threads=0"],
            *["--init=credit_insurance", "--stop-after-init"],
        ],
        capture_output=True,
        text=True,
        env=odoo.environment_for_child(),
        cwd=site_packages,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    state = database.psql("SELECT state FROM ir_module_module WHERE name = 'credit_insurance'", fresh_database)
    assert state == "installed"


def _addon_files(wheel):
    prefix = "odoo/addons/credit_insurance/"
    with zipfile.ZipFile(wheel) as archive:
        return [name for name in archive.namelist() if name.startswith(prefix)]
