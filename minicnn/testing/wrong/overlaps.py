"""What becomes of windows that overlap where a mistake does not add them up."""

import numpy as np

from minicnn.testing.wrong.parts.windows import added_up, pair


def assigned_over(patches, size, stride=1, dilation=1):
    """`added_up` with = for +=: the last tap written to a pixel stays."""
    (SH, SW), (DH, DW) = pair(stride), pair(dilation)
    OH, OW, KH, KW = patches.shape[2:]
    image = np.zeros((*patches.shape[:2], *size))
    for p, q in np.ndindex(KH, KW):
        rows, columns = p * DH + SH * np.arange(OH), q * DW + SW * np.arange(OW)
        image[:, :, rows[:, None], columns] = patches[..., p, q]
    return image


def averaged_over(patches, size, stride=1, dilation=1):
    """`added_up`, divided by how many taps meet in a pixel."""
    times = added_up(np.ones((1, 1, *patches.shape[2:])), size, stride, dilation)
    return added_up(patches, size, stride, dilation) / np.maximum(times, 1)
