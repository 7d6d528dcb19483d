"""`compare`: a minicnn network in training beside its PyTorch twin."""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

import minicnn
from reference.parity.judge import Judge
from reference.parity.networks import Batch, leaves, weights_of
from reference.parity.report import Comparison, Scores
from reference.parity.tape import record

MARGIN = 16
"""How much farther than PyTorch's float32 scores minicnn's may be from the exact ones, each in units of its eps."""


def compare(ours: Any, theirs: Any, batches: Sequence[Batch], lr: float = 0.01) -> Comparison:
    """Train a minicnn network, with cross entropy and SGD, one step a batch, and check all that it computes.

    Args:
        ours: the network, of float32 or float64.
        theirs: its PyTorch twin of the same dtype, with the weights that `ours` should have. Its weights follow.
        batches: one or more, of the networks' dtype.
        lr: the learning rate.

    Raises:
        ValueError: where the networks don't have the same layers, or don't call them equally often.
        TypeError: for a layer whose bound isn't known.
    """
    layers = [name for name, _ in leaves(theirs)]
    if [name for name, _ in leaves(ours)] != layers:
        raise ValueError(f"the networks' layers are not the same; PyTorch's are {', '.join(layers)}")
    ours.train()
    theirs.train()
    judge = Judge(theirs, batches[0][0].dtype)
    optimizer = minicnn.optim.SGD(ours.parameters(), lr=lr)
    for batch in batches:
        optimizer.zero_grad()
        calls = record(ours, batch)
        judge.between_layers(calls, batch)
        judge.layers(calls, ours)
        judge.running_statistics(ours)
        optimizer.step()
        judge.update(ours, lr)
        judge.conclude()
    scores = compare_scores(ours, theirs, batches[-1][0])
    return Comparison(list(judge.rows.values()), judge.allowed, judge.diverged, scores)


def compare_scores(ours: Any, theirs: Any, images: np.ndarray) -> Scores:
    """Compare the scores in evaluation, as a whole and without replaying anything.

    How much a network amplifies rounding is measured: PyTorch's float32 scores are off from its float64 scores by so
    many eps.

    Args:
        ours: the minicnn network.
        theirs: its PyTorch twin of the same dtype; it gets the weights of `ours`.
        images: shape (N, C, H, W), of the networks' dtype.
    """
    theirs.load_state_dict(weights_of(ours))
    ours.eval()
    theirs.eval()
    with minicnn.no_grad(), torch.no_grad():
        found = ours(minicnn.tensor(images)).numpy()
        exact, single = (
            copy.deepcopy(theirs).to(dtype)(torch.from_numpy(images).to(dtype)).double().numpy()
            for dtype in (torch.float64, torch.float32)
        )
    same = single if images.dtype == np.float32 else exact
    largest = np.abs(exact).max()
    amplified = np.abs(single - exact).max() / np.finfo(np.float32).eps + largest
    allowed = MARGIN * np.finfo(images.dtype).eps * amplified
    ours_off, theirs_off = np.abs(found - exact).max(), np.abs(same - exact).max()
    return Scores(*(float(number / largest) for number in (ours_off, theirs_off, allowed)))
