"""`Embedding`: a learned vector for every index."""

from typing import Any

from minicnn.autograd import no_grad
from minicnn.nn import functional as F
from minicnn.nn import init
from minicnn.nn._arguments import empty_parameter
from minicnn.nn.functional.embedding import _padding
from minicnn.nn.module import Module
from minicnn.nn.parameter import Parameter
from minicnn.tensor import Tensor


class Embedding(Module):
    """Looks up a learned vector for every index.

    Args:
        num_embeddings: how many there are.
        embedding_dim: their size.
        padding_idx: an index whose vector stays as it is, zeros to begin with.
        max_norm: vectors in use of a larger norm are scaled down to it, in place.
        norm_type: p of that norm.
        scale_grad_by_freq: divide each vector's gradient by how often it occurs in the batch.
        sparse: False; gradients are dense.
        device: None or "cpu".
        dtype: of the weight, float32 by default.

    Attributes:
        weight: Parameter of shape (num_embeddings, embedding_dim), drawn from the normal distribution.

    Raises:
        RuntimeError: where sparse gradients are asked for.
        AssertionError: for a `padding_idx` that there isn't.
    """

    weight: Parameter

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if sparse:
            raise RuntimeError("Embedding has no sparse gradients; leave sparse=False")
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = None if padding_idx is None else _padding(padding_idx, num_embeddings)
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        if _weight is None:
            self.weight = empty_parameter((num_embeddings, embedding_dim), device, dtype)
            self.weight.requires_grad_(not _freeze)
            self.reset_parameters()
        else:
            if tuple(_weight.shape) != (num_embeddings, embedding_dim):
                raise AssertionError("Shape of weight does not match num_embeddings and embedding_dim")
            self.weight = Parameter(_weight, requires_grad=not _freeze)

    def reset_parameters(self) -> None:
        """Draw new vectors."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx].fill_(0)

    def forward(self, input: Tensor) -> Tensor:
        """int64 (…) → (…, embedding_dim)"""
        return F.embedding(
            input, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq, self.sparse
        )

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        for name, default in (
            ("padding_idx", None),
            ("max_norm", None),
            ("norm_type", 2),
            ("scale_grad_by_freq", False),
        ):
            if getattr(self, name) != default:
                text += f", {name}={getattr(self, name)}"
        return text

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> "Embedding":
        """A layer with given vectors.

        Args:
            embeddings: (num_embeddings, embedding_dim); its memory is shared.
            freeze: don't learn them.
            padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse: as for the constructor.

        Raises:
            AssertionError: where `embeddings` hasn't two dimensions.
        """
        if embeddings.ndim != 2:
            raise AssertionError("Embeddings parameter is expected to be 2-dimensional")
        rows, columns = embeddings.shape
        return cls(
            rows,
            columns,
            padding_idx,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            sparse,
            _weight=embeddings,
            _freeze=freeze,
        )
