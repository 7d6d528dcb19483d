"""Is minicnn's network the same as its PyTorch twin? `python -m reference.parity resnet18` answers layer by layer.

Errors of rounding grow from layer to layer, and where two frameworks' errors differ, a rectifier near zero may open in
one and not in the other: far down in a network, "close" means little. So each layer is judged by itself. minicnn
trains on a batch, and every layer's input, output and gradients are recorded. Then PyTorch answers, in float64, the
very questions that minicnn's layers were asked:

- each layer: what are its output and the gradients by its input and its parameters, given the recorded input and the
  recorded gradient by its output? A dropout is given the mask that minicnn drew.
- what lies between the layers, in `forward`: the twin's `forward` runs on the recorded outputs, and backwards on the
  recorded gradients. What arrives at the next layer must be what arrived there in minicnn.
- batch normalization: what are the running statistics after all the steps so far, given the recorded inputs?
- the optimizer: what are the parameters after the step, given those before and minicnn's gradients?

Every answer has a scaled bound (`minicnn.testing.layers`), and errors are given in its unit,

    |minicnn − exact| / (eps · magnitude),

the largest of an array's elements. 4 are allowed; 8 in float64, where the oracle's own rounding counts too. Between
layers, rectifiers and max pools are exact and an addition rounds once, so there the magnitude is |exact|. A running
statistic carries every batch's rounding on: with the share s and batches of magnitude B its own is M, where
A ← (1 − s) · A + s · B and M ← (1 − s) · M + A, from |statistic| and 0. A parameter p − lr · g has |p| + lr · |g|.

If every part agrees, so do the networks. The scores of both, trained and in evaluation, show it at once.
"""

from reference.parity.comparison import compare
from reference.parity.networks import draw_batches, twins
from reference.parity.report import Comparison, Row

__all__ = ["Comparison", "Row", "compare", "draw_batches", "twins"]
