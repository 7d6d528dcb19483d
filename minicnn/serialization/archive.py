"""Zip files from strangers: the container of `.npz` and of PyTorch's `.pth`."""

import io
import zipfile

EXPANSION = 100
ALWAYS_ALLOWED = 64 * 2**20


def open_archive(data: bytes) -> zipfile.ZipFile:
    """Open a zip file that lies in memory, unless it would fill the memory.

    Args:
        data: the file.

    Raises:
        ValueError: where it isn't a whole zip file, or its entries would unpack to more than 64 MiB and
            more than a hundred times its size.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except zipfile.BadZipFile as error:
        raise ValueError(f"it is a truncated or damaged zip file ({error})") from error
    unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > max(ALWAYS_ALLOWED, EXPANSION * len(data)):
        raise ValueError(f"its {len(data):,} bytes would unpack to {unpacked:,}, which no tensors do")
    return archive
