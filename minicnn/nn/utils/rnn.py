"""Sequences of several lengths in one Tensor; what packs them for recurrent layers is missing, as those are."""

from collections.abc import Iterable

from minicnn.compat import missing
from minicnn.creation import full
from minicnn.tensor import Tensor

__all__ = ["pad_sequence", "unpad_sequence"]


def pad_sequence(
    sequences: Tensor | Iterable[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Sequences (L, ...) of several lengths as one Tensor, the shorter ones filled up.

    Args:
        sequences: Tensors that differ in their first dimension alone.
        batch_first: whether the result is (N, L, ...) instead of (L, N, ...).
        padding_value: what fills them up.
        padding_side: "right", or "left" for filling in front.

    Raises:
        ValueError: for another side.
        RuntimeError: for no sequences, or ones that differ otherwise.
    """
    if padding_side not in ("left", "right"):
        raise ValueError(f"padding_side must be 'left' or 'right', got {padding_side!r}")
    parts = list(sequences)
    if not parts:
        raise RuntimeError("received an empty list of sequences")
    first = parts[0]
    if any(part.shape[1:] != first.shape[1:] for part in parts):
        raise RuntimeError(f"sequences must differ in their length alone, got {[tuple(part.shape) for part in parts]}")
    longest = max(len(part) for part in parts)
    rest = tuple(first.shape[1:])
    shape = (len(parts), longest, *rest) if batch_first else (longest, len(parts), *rest)
    padded = full(shape, padding_value, dtype=first.dtype)
    for position, part in enumerate(parts):
        row = padded[position] if batch_first else padded[:, position]
        window = row[: len(part)] if padding_side == "right" else row[longest - len(part) :]
        window.copy_(part)
    return padded


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False) -> list[Tensor]:
    """The sequences that `pad_sequence` put together.

    Args:
        padded_sequences: (L, N, ...), or (N, L, ...) with `batch_first`.
        lengths: (N,)
        batch_first: see there.
    """
    if not batch_first:
        padded_sequences = padded_sequences.transpose(0, 1)
    return [row[: int(length)] for row, length in zip(padded_sequences, lengths, strict=True)]


__getattr__ = missing.getattr_of(__name__, lambda: __all__)
