"""What every test runs under: a seed that is printed, a hypothesis profile, generators started anew, few threads."""

import os
import random
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numba
import pytest
import torch
from agreement import DEFAULT_EXAMPLES
from hypothesis import HealthCheck, register_random, settings

import minicnn

# Seeds are drawn, under CI too, where hypothesis would fix them. How fast a machine is decides about no test: no
# example has a deadline, and drawing one may take its time. All other health checks stay.
EVERYWHERE: dict[str, Any] = {
    "deadline": None,
    "derandomize": False,
    "print_blob": True,
    "suppress_health_check": [HealthCheck.too_slow],
}
settings.register_profile("default", max_examples=DEFAULT_EXAMPLES, **EVERYWHERE)
settings.register_profile("long", max_examples=300, **EVERYWHERE)
settings.register_profile("nightly", max_examples=3000, **EVERYWHERE)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# The tests' arrays are tiny, and several workers share the machine. Tests that are about threads ask for more.
torch.set_num_threads(1)
minicnn.set_num_threads(1)


class Generators:
    """The default generators of both libraries, as hypothesis wants them: it starts them anew for every example."""

    def seed(self, seed: int) -> None:
        torch.manual_seed(seed)
        minicnn.manual_seed(seed)

    def getstate(self) -> None:
        """Nothing is kept: every test starts them anew."""

    def setstate(self, state: None) -> None:
        """Nothing is put back."""


GENERATORS = Generators()
register_random(GENERATORS)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let no test's random numbers depend on the tests before it."""
    GENERATORS.seed(0)


@pytest.hookimpl(tryfirst=True)  # before hypothesis reads the option
def pytest_configure(config: pytest.Config) -> None:
    """Draw the seed of this run, unless it was asked for; workers get it from the process that started them."""
    if config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = str(random.SystemRandom().getrandbits(32))


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.write_line(f"seed: {session.config.option.hypothesis_seed}")


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the commands that repeat what failed."""
    reports = [report for outcome in ("failed", "error") for report in terminalreporter.stats.get(outcome, [])]
    if not reports:
        return
    terminalreporter.section("to repeat")
    profile = settings.get_current_profile_name()
    settled = "" if profile == "default" else f"HYPOTHESIS_PROFILE={profile} "
    options = ["-n", "0", f"--hypothesis-seed={config.option.hypothesis_seed}"]
    if config.option.markexpr != "not slow":
        options += ["-m", config.option.markexpr]
    for test in dict.fromkeys(report.nodeid for report in reports):
        terminalreporter.write_line(settled + shlex.join(["pytest", *options, test]))


@pytest.fixture
def two_threads() -> Iterator[None]:
    """Compute on two threads, where Numba has them."""
    minicnn.set_num_threads(min(2, numba.config.NUMBA_NUM_THREADS))
    yield
    minicnn.set_num_threads(1)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with the official MNIST, Fashion-MNIST and CIFAR-10 files, from $MINICNN_DATA."""
    folder = os.environ.get("MINICNN_DATA")
    if not folder:
        pytest.skip("set MINICNN_DATA to a folder with the real data sets")
    return Path(folder)
