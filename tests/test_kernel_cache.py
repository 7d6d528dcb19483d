"""Compiled kernels are kept on disk, found again, and never found stale.

Each test runs processes of its own on a copy of `minicnn/kernels/compile.py` and what it stands on, with a tiny kernel
beside it, which calls a helper in another file: y = max(x, 0) · factor().
"""

import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import minicnn

KERNEL = """
from minicnn.kernels.compile import kernel
from minicnn.kernels.helper import factor

@kernel
def relu(x, y):
    for i in range(x.size):
        y[i] = max(x[i], 0) * factor()
"""
HELPER = """
from minicnn.kernels.compile import kernel

@kernel
def factor():
    return {}
"""
PROGRAM = """
import numpy as np
from minicnn.kernels.tiny import relu

x, y = np.array([-1.0, 2.0], np.float32), np.empty(2, np.float32)
relu(x, y)
wide = np.empty(2)
relu(x.astype(np.float64), wide)
print(y.tolist(), wide.tolist())
"""


class House:
    """A copy of the kernels' machinery, with a cache of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.cache = folder, folder / "cache"

    def build(self):
        kernels = self.folder / "minicnn" / "kernels"
        kernels.mkdir(parents=True)
        (kernels.parent / "__init__.py").touch()
        (kernels / "__init__.py").touch()
        for name in ("cache.py", "compile.py", "regions.py", "threads.py"):
            shutil.copy(Path(minicnn.__file__).parent / "kernels" / name, kernels)
        (kernels / "tiny.py").write_text(KERNEL)
        self.write_helper(1)
        return self

    def write_helper(self, factor):
        (self.folder / "minicnn" / "kernels" / "helper.py").write_text(HELPER.format(factor))

    def start(self, cache=None, program=PROGRAM, **settings):
        """A process that runs a program."""
        environment = {
            **os.environ,
            "PYTHONPATH": str(self.folder),
            "MINICNN_CACHE_DIR": str(cache or self.cache),
            "PYTHONDONTWRITEBYTECODE": "1",
            "TMPDIR": str(self.folder / "temporary"),
            **settings,
        }
        (self.folder / "temporary").mkdir(exist_ok=True)
        return subprocess.Popen(
            [sys.executable, "-c", program],
            env=environment,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, cache=None, program=PROGRAM, **settings):
        return finish(self.start(cache, program, **settings))

    def files(self):
        """What the cache holds: names and times of writing."""
        return {path.name: path.stat().st_mtime_ns for path in self.cache.iterdir()}


def finish(process):
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return SimpleNamespace(output=output.strip(), errors=errors, compiled=errors.count("compiling kernels"))


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    """A house whose cache one process has filled, and what that process said."""
    house = House(tmp_path_factory.mktemp("kernels")).build()
    house.first = house.run()
    return house


@pytest.fixture
def copied(warm, tmp_path):
    """A house of one's own with that cache."""
    return House(Path(shutil.copytree(warm.folder, tmp_path / "house")))


def test_the_first_process_says_once_that_it_compiles_and_where_to(warm):
    assert warm.first.output == "[0.0, 2.0] [0.0, 2.0]"
    assert warm.first.compiled == 1
    assert str(warm.cache) in warm.first.errors
    assert len([name for name in warm.files() if name.startswith("relu-")]) == 2  # one for each signature
    assert all(name.endswith(".kernel") for name in warm.files())  # nothing half-written stays


def test_a_second_process_compiles_nothing(warm):
    before = warm.files()
    second = warm.run()
    assert second.output == warm.first.output
    assert second.errors == ""
    assert warm.files() == before


def test_an_edit_in_a_helper_leads_to_new_results(copied, warm):
    copied.write_helper(3)
    edited = copied.run()
    assert edited.output == "[0.0, 6.0] [0.0, 6.0]"
    assert edited.compiled == 1
    copied.write_helper(1)
    again = copied.run()
    assert again.output == warm.first.output
    assert again.compiled == 0


def test_two_processes_may_compile_at_once(copied, warm):
    shutil.rmtree(copied.cache)
    both = [finish(process) for process in [copied.start(), copied.start()]]
    assert [process.output for process in both] == [warm.first.output] * 2
    assert sorted(copied.files()) == sorted(warm.files())
    third = copied.run()
    assert third.output == warm.first.output
    assert third.errors == ""


def flipped(content):
    """Still a pickle, but of other machine code."""
    middle = len(content) // 2
    return content[:middle] + bytes(byte ^ 0xFF for byte in content[middle : middle + 64]) + content[middle + 64 :]


@pytest.mark.parametrize("damages", [[flipped, lambda content: content[:100]], [lambda _: b"", lambda _: b"no pickle"]])
def test_damaged_files_are_compiled_again(copied, warm, damages):
    for path, damage in zip(sorted(copied.cache.iterdir()), itertools.cycle(damages), strict=False):
        path.write_bytes(damage(path.read_bytes()))
    damaged = copied.run()
    assert damaged.output == warm.first.output
    assert damaged.compiled == 1
    assert copied.run().errors == ""


def test_a_cache_that_cannot_be_written_warns_and_works(copied, warm):
    blocker = copied.folder / "a file"
    blocker.touch()
    process = copied.run(cache=blocker / "cache")
    assert process.output == warm.first.output
    assert process.errors.count("cannot write compiled kernels") == 1
    assert "MINICNN_CACHE_DIR" in process.errors


@pytest.fixture
def read_only(copied):
    """A cache that nobody can write to, as in a container's image; not even root."""
    if not hasattr(os, "getuid"):
        pytest.skip("needs POSIX permissions")
    # to root all folders are writable; a program that says otherwise stands for one that isn't root
    return """
import tempfile

made = tempfile.TemporaryFile

def refused(*args, **options):
    if str(options.get("dir")).endswith("/cache"):
        raise PermissionError(13, "Permission denied")
    return made(*args, **options)

tempfile.TemporaryFile = refused
"""


def test_a_read_only_cache_is_read(copied, warm, read_only):
    process = copied.run(program=read_only + PROGRAM)
    assert process.output == warm.first.output
    assert process.errors == ""
    assert list((copied.folder / "temporary").iterdir()) == []


def test_beside_a_read_only_cache_new_kernels_are_kept(copied, warm, read_only):
    removed = next(path for path in copied.cache.iterdir() if path.name.startswith("relu-"))
    removed.unlink()
    first = copied.run(program=read_only + PROGRAM)
    assert first.output == warm.first.output
    assert first.errors.count("cannot write compiled kernels") == first.compiled == 1
    (folder,) = (copied.folder / "temporary").iterdir()
    assert [path.name for path in folder.iterdir()] == [removed.name]
    assert folder.stat().st_mode & 0o777 == 0o700
    second = copied.run(program=read_only + PROGRAM)
    assert (second.output, second.compiled) == (warm.first.output, 0)
    assert [path.name for path in (copied.folder / "temporary").iterdir()] == [folder.name]


def test_another_users_folder_is_not_trusted(copied, warm, read_only):
    next(path for path in copied.cache.iterdir() if path.name.startswith("relu-")).unlink()
    theirs = copied.folder / "temporary" / f"minicnn-{os.getuid()}"
    theirs.mkdir(parents=True)
    theirs.chmod(0o777)
    assert copied.run(program=read_only + PROGRAM).output == warm.first.output
    assert list(theirs.iterdir()) == []


def test_a_renamed_file_is_compiled_again(copied, warm):
    one, other = (path for path in copied.cache.iterdir() if path.name.startswith("relu-"))
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)
    renamed = copied.run()
    assert renamed.output == warm.first.output
    assert renamed.compiled == 1


@pytest.mark.parametrize("settings", [{"NUMBA_OPT": "0"}, {"NUMBA_BOUNDSCHECK": "1"}])
def test_other_settings_of_numba_have_machine_code_of_their_own(copied, warm, settings):
    before = copied.files()
    other = copied.run(**settings)
    assert (other.output, other.compiled) == (warm.first.output, 1)
    assert before.items() < copied.files().items()
    assert copied.run().errors == ""


def test_without_compiler_the_import_says_so(copied):
    process = copied.start(NUMBA_DISABLE_JIT="1")
    _, errors = process.communicate(timeout=300)
    assert process.returncode
    assert errors.strip().splitlines()[-1].startswith("ImportError: minicnn is made of compiled kernels: unset NUMBA")


def test_a_folder_that_vanishes_is_made_again(copied, warm):
    vanishing = PROGRAM.replace("wide =", f"import shutil; shutil.rmtree({str(copied.cache)!r})\nwide =")
    for path in copied.cache.iterdir():
        path.unlink()
    process = copied.run(program=vanishing)
    assert process.output == warm.first.output
    assert process.errors.count("\n") == 1  # that it compiles
    assert len(list(copied.cache.iterdir())) == 1


def test_a_relative_folder_stays_where_it_was(copied, warm):
    moving = PROGRAM.replace("wide =", "import os; os.chdir('/')\nwide =")
    process = copied.run(cache="cache", program=moving)
    assert (process.output, process.errors) == (warm.first.output, "")


def test_a_full_disk_is_said_once(copied, warm):
    full = """
import tempfile

def refused(*args, **options):
    raise OSError(28, "No space left on device")

tempfile.mkstemp = refused
"""
    shutil.rmtree(copied.cache)
    process = copied.run(program=full + PROGRAM)
    assert process.output == warm.first.output
    assert process.errors.count("No space left on device") == 1
    assert "could not keep compiled kernels" in process.errors
