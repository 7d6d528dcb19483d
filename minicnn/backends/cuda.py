"""Switches of NVIDIA's GPUs, which keep what they are set to and decide nothing here."""


class matmul:  # noqa: N801 (torch's name)
    """How a GPU would multiply matrices."""

    allow_tf32 = False
    allow_fp16_reduced_precision_reduction = True
    allow_bf16_reduced_precision_reduction = True


def is_built() -> bool:
    """False: minicnn computes on the CPU."""
    return False
