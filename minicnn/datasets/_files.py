"""Files of data sets: read whole whether gzipped or not, download checked, never leave half of one behind."""

import gzip
import os
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


class MissingError(RuntimeError):
    """A data set isn't where it should be.

    Attributes:
        what: which files are missing where.
    """

    def __init__(self, what: str) -> None:
        super().__init__(f"Dataset not found. You can use download=True to download it ({what})")
        self.what = what


EXPANSION = 1032
"""How many bytes one byte of a gzipped file may stand for, at most (RFC 1951: 258 bytes in two bits)."""


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A file to read from, unpacked as it is read if it is gzipped, whatever its name.

    Raises:
        ValueError: a gzipped file is truncated or damaged, which may show while it is read.
    """
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        if not packed:
            yield raw
            return
        try:
            with gzip.GzipFile(fileobj=raw) as unpacked:
                yield unpacked  # type: ignore[misc]
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(f"{path}: damaged gzip file ({error})") from error


def write_file(path: Path, content: bytes) -> None:
    """Write a file under a temporary name beside it and rename it: there is the whole file or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def download_file(path: Path, urls: Sequence[str], md5: str) -> None:
    """Download a file from the first of its mirrors that delivers it intact.

    Pooch writes under a temporary name and renames when the checksum is right. A file that is there with
    the right checksum is not downloaded again.

    Raises:
        RuntimeError: no mirror delivered it; the message tells what each of them did.
    """
    import pooch

    failures = []
    for url in urls:
        try:
            pooch.retrieve(url, known_hash=f"md5:{md5}", fname=path.name, path=path.parent)
            return
        except (OSError, ValueError) as error:  # no connection, or the wrong checksum
            failures.append(f"{url}: {error}")
    raise RuntimeError(f"Error downloading {path}:\n" + "\n".join(failures))
