"""Damaged files of every format are refused, or read; `tests/damaged.py` says how, and searches for longer."""

import struct
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

import minicnn
from minicnn.datasets.pictures import read_picture
from minicnn.io import read_image
from minicnn.training.snapshot import _digest, load_snapshot


def test_damaged_files_are_refused_or_read():
    command = [sys.executable, "-X", "faulthandler", "-m", "tests.damaged", "--numbers", "400"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent.parent, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "files: 5200" in run.stdout


def png(width, height):
    """The beginning of a PNG that says how large it is, and a little more."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(999))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(9_000, 9_000), (60_000, 60_000)])
@pytest.mark.parametrize(("read", "error"), [(read_image, RuntimeError), (read_picture, ValueError)])
def test_a_picture_larger_than_its_file_can_hold_is_refused(tmp_path, size, read, error):
    path = tmp_path / "large.png"
    path.write_bytes(png(*size))
    with pytest.raises(error, match=r"large\.png"):
        read(path)


def test_a_nest_deeper_than_python_goes_is_refused(tmp_path):
    nest = '["list", [' * 100_000
    minicnn.save({}, tmp_path / "deep", metadata={"nest": nest, "sha256": _digest(nest, {})})
    with pytest.raises(ValueError, match="makes no sense"):
        load_snapshot(tmp_path / "deep")
