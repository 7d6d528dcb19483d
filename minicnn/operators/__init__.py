"""The operations of a Tensor, each with its gradient: arithmetic, reductions, shapes."""
