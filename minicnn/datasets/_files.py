"""Files of data sets: read whole whether gzipped or not, download checked, never leave half of one behind."""

import gzip
import os
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path


def read_file(path: Path) -> bytes:
    """The content of a file, unpacked if it is gzipped, whatever its name.

    Raises:
        ValueError: a gzipped file is truncated or damaged.
    """
    content = path.read_bytes()
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        return gzip.decompress(content)
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
