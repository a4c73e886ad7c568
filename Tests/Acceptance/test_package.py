"""`make install`, and the Debian package: lintian, then its life under a real systemd."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import CLEAN, ROOT, binary, execute

TESTBED = os.environ.get("SHOPMETRICS_TESTBED")
CANNOT = 77  # the testbed's own word for a machine that lacks something
MOST_BYTES = 15 << 20


def make(*arguments):
    """`make` for the programs under test, whatever build they come from."""
    outcome = execute(["make", "--no-print-directory", "-C", str(ROOT),
                       f"RELEASE={binary('shopmetricsd').parent}", *arguments], 300)
    assert outcome.code == CLEAN, outcome.output


def installed(directory):
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*")
                  if not path.is_dir())


def test_uninstall_removes_what_install_put_there_except_the_configuration(scratch):
    where = (f"DESTDIR={scratch}", "PREFIX=/opt/shop", "SYSCONFDIR=/opt/etc")
    make("install", *where)
    first = installed(scratch)
    assert {"opt/shop/sbin/shopmetricsd", "opt/shop/bin/shopmetricsctl", "opt/etc/shopmetrics.toml",
            "opt/shop/share/man/man8/shopmetricsd.8"} <= set(first)
    (unit,) = scratch.rglob("shopmetricsd.service")
    assert "ExecStart=/opt/shop/sbin/shopmetricsd --config /opt/etc/shopmetrics.toml\n" in \
        unit.read_text()
    (scratch / "opt/etc/shopmetrics.toml").write_text("# mine\n")
    make("install", *where)
    assert installed(scratch) == sorted([*first, "opt/etc/shopmetrics.toml.new"])
    make("uninstall", *where)
    assert installed(scratch) == ["opt/etc/shopmetrics.toml", "opt/etc/shopmetrics.toml.new"]
    assert (scratch / "opt/etc/shopmetrics.toml").read_text() == "# mine\n"


def build_next(package, target):
    """The same package once more, with the next version and another shipped configuration."""
    contents = target.with_suffix(".contents")
    subprocess.run(["dpkg-deb", "--raw-extract", package, contents], check=True)
    control = contents / "DEBIAN" / "control"
    control.write_text(re.sub(r"^(Version: .*)$", r"\g<1>.1", control.read_text(), flags=re.M))
    with open(contents / "etc/shopmetrics.toml", "a") as configuration:
        configuration.write("# another default\n")
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "--build", contents, target],
                   check=True, stdout=subprocess.DEVNULL)


def test_the_package_is_clean_and_its_life_under_systemd(scratch):
    if not (shutil.which("dh") and shutil.which("lintian")):
        pytest.skip("SKIPPED: no debhelper or no lintian, so no package can be built")
    make("deb-of-build", f"DEB={scratch}")  # fails at any error or warning of lintian
    (package,) = scratch.glob("*.deb")
    assert package.stat().st_size < MOST_BYTES
    if not TESTBED:
        pytest.skip("SKIPPED: SHOPMETRICS_TESTBED is not set, so there is no systemd to test with")
    build_next(package.rename(scratch / "this.deb"), scratch / "next.deb")
    life = Path(__file__).with_name("package_life.py")
    outcome = execute(
        [f"{TESTBED}/with-systemd", "--net", "private", "--timeout", "400", "--bind-ro",
         str(scratch), "--journal", str(scratch / "journal"), "--", sys.executable, "-m", "pytest",
         "-x", "-q", "-rs", "-p", "no:cacheprovider", str(life)],
        430, {"SHOPMETRICS_PACKAGES": str(scratch)})
    if outcome.code == CANNOT:
        pytest.skip(f"SKIPPED: {outcome.output.strip()}")
    journal = (scratch / "journal").read_text().splitlines()[-60:]
    assert outcome.code == CLEAN, "\n".join([outcome.output, "The journal's end:", *journal])
    print(outcome.output)
