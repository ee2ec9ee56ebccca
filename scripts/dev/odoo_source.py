"""Odoo 19 itself: an existing checkout named by ODOO_HOME, or Debian's package unpacked into the user's cache.

Nothing is installed on the machine and nothing needs root: APT downloads with lists, cache and source list of its own,
and `dpkg -x` unpacks. The mirror is the one this machine's APT is configured with; APT checks the archive's signature
with the machine's own keyring, as for any other package.
"""

import getpass
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .lock import exclusive
from .messages import DevError, step
from .paths import CACHE, ODOO_SERIES
from .process import Explanations, output, run_logged

# What Odoo's tree in Debian links to outside itself; without them /web/login answers 500 and the icons are missing.
PACKAGES = {
    "sid": (
        "odoo-19",
        "libjs-jquery",
        "libjs-jquery-form",
        "libjs-underscore",
        "fonts-roboto-unhinted",
        "fonts-montserrat",
        "fonts-inconsolata",
        "fonts-ocr-b",
    ),
    # The links name the files of Font Awesome 4.7. Unstable has version 6.
    "bookworm": ("fonts-font-awesome",),
}
# Files Debian leaves out as non-free although Odoo's asset bundles name them: the web client logs an error for each,
# which fails every browser test. (This one blurs the background of video calls.)
STAND_INS = ("mail/static/lib/selfie_segmentation/selfie_segmentation.js",)
NEEDED_BYTES = 3 * 1024**3

APT_FAILURES: Explanations = (
    (
        r"NO_PUBKEY|is not signed|couldn't be verified",
        "APT cannot check the signature of Debian's unstable suite: run 'apt-get install debian-archive-keyring', "
        "or set ODOO_HOME to a checkout of Odoo 19",
    ),
    (
        r"Unable to locate package|does not have a Release file|Unable to find a source package",
        "the APT mirror of this machine does not carry Debian's odoo-19: set ODOO_HOME to a checkout of Odoo 19",
    ),
)


@dataclass(frozen=True)
class OdooSource:
    """Where to import `odoo` from, where its addons are, and which build it is."""

    python_path: Path
    addons: tuple[Path, ...]
    version: str


def find() -> OdooSource | None:
    """The Odoo to use if it is already on this machine; None when it has yet to be downloaded."""
    home = os.environ.get("ODOO_HOME")
    if home:
        return _from_checkout(Path(home).expanduser().resolve())
    root = CACHE / "odoo"
    return _from_package(root) if root.is_dir() else None


def ensure() -> OdooSource:
    """The Odoo to use, downloaded when needed."""
    source = find()
    if source:
        return source
    CACHE.mkdir(parents=True, exist_ok=True)
    with exclusive(CACHE / "odoo.lock", "download of Odoo"):
        source = find()
        if source is None:
            _download()
            source = _from_package(CACHE / "odoo")
    return source


def _from_checkout(home: Path) -> OdooSource:
    release = home / "odoo" / "release.py"
    if not release.is_file() or not (home / "addons").is_dir():
        raise DevError(f"ODOO_HOME={home} is no Odoo checkout: it needs odoo/release.py and addons/")
    series = read_series(release)
    if series != ODOO_SERIES:
        raise DevError(f"ODOO_HOME={home} holds Odoo {series}; this addon needs {ODOO_SERIES}: check out that branch")
    return OdooSource(home, (home / "addons", home / "odoo" / "addons"), f"{series} {home}")


def _from_package(root: Path) -> OdooSource:
    python_path = root / "usr/lib/python3/dist-packages"
    return OdooSource(python_path, (python_path / "odoo/addons",), (root / "VERSION").read_text().strip())


def read_series(release: Path) -> str:
    """`version_info = (19, 0, …)` of Odoo's release.py as "19.0", read without running it."""
    found = re.search(r"^version_info\s*=\s*\(\s*'?([\w~]+)'?\s*,\s*(\d+)", release.read_text(), re.MULTILINE)
    return f"{found[1]}.{found[2]}" if found else "of an unknown version"


def _download() -> None:
    _check_tools_and_space()
    work = CACHE / "odoo.download"
    with step("Downloading Odoo 19 (about 130 MB)"):
        for folder in ("lists/partial", "cache/archives/partial", "debs"):
            (work / folder).mkdir(parents=True, exist_ok=True)
        apt = _private_apt(work)
        run_logged([*apt, "-o", "APT::Update::Error-Mode=any", "update"], "apt", explain=APT_FAILURES)
        wanted = [f"{package}/{suite}" for suite, packages in PACKAGES.items() for package in packages]
        run_logged([*apt, "download", *wanted], "apt", explain=APT_FAILURES, cwd=work / "debs")
    with step("Unpacking Odoo 19"):
        _unpack(work / "debs")
    shutil.rmtree(work)


def _check_tools_and_space() -> None:
    for tool in ("apt-get", "dpkg"):
        if not shutil.which(tool):
            raise DevError(f"{tool} is not on this machine: set ODOO_HOME to a checkout of Odoo {ODOO_SERIES}")
    free = shutil.disk_usage(CACHE).free
    if free < NEEDED_BYTES:
        raise DevError(
            f"too little disk: {free // 1024**2} MB free under {CACHE}, 3 GB are needed; "
            "free some, or put the cache elsewhere with XDG_CACHE_HOME"
        )


def _private_apt(work: Path) -> list[str]:
    """apt-get with source list, lists and cache of our own, so that the machine's are neither needed nor touched."""
    sources = work / "sources.list"
    mirror = _mirror(work)
    sources.write_text("".join(f"deb {mirror} {suite} main\n" for suite in PACKAGES))
    options = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "-",
        "Dir::State::Lists": work / "lists",
        "Dir::Cache": work / "cache",
        "APT::Sandbox::User": getpass.getuser(),  # the cache may lie in a home folder that `_apt` cannot enter
        "Acquire::Retries": 3,
    }
    return ["apt-get", *(part for key, value in options.items() for part in ("-o", f"{key}={value}"))]


def _mirror(work: Path) -> str:
    """The main archive's address in this machine's APT configuration.

    `update --print-uris` reads nothing but the configuration; `indextargets` prints nothing before a first `update`.
    """
    uris = output(["apt-get", "update", "--print-uris", "-o", f"Dir::State::Lists={work / 'lists'}"])
    releases: list[tuple[str, str]] = re.findall(r"^'(.+)/dists/([^/]+)/InRelease'", uris, re.MULTILINE)
    mirrors = [uri for uri, suite in releases if not suite.endswith(("-security", "-updates", "-backports"))]
    if not mirrors:
        raise DevError("APT has no main archive configured on this machine: set ODOO_HOME to a checkout of Odoo 19")
    # Third-party archives may be listed too: Debian's main archive is conventionally served under …/debian.
    return next((uri for uri in mirrors if uri.rstrip("/").endswith("/debian")), mirrors[0])


def _unpack(debs: Path) -> None:
    """Unpack beside the final place and rename: a half unpacked tree is never taken for a whole one."""
    partial = CACHE / "odoo.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    for deb in sorted(debs.glob("*.deb")):
        done = subprocess.run(["dpkg", "-x", deb, partial], capture_output=True, text=True)
        if done.returncode:
            deb.unlink()
            raise DevError(f"{deb.name} is broken and was removed: run the command again ({done.stderr.strip()})")
    deb = next(debs.glob("odoo-19_*.deb"))
    (partial / "VERSION").write_text(output(["dpkg-deb", "-f", deb, "Version"]))
    series = read_series(partial / "usr/lib/python3/dist-packages/odoo/release.py")
    if series != ODOO_SERIES:
        raise DevError(f"Debian's odoo-19 is Odoo {series}, not {ODOO_SERIES}: set ODOO_HOME to a checkout of Odoo 19")
    _add_stand_ins(partial / "usr/lib/python3/dist-packages/odoo/addons")
    partial.rename(CACHE / "odoo")


def _add_stand_ins(addons: Path) -> None:
    for name in STAND_INS:
        path = addons / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("/* Not in Debian's package. */\n")
