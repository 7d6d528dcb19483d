"""The training loop, written once: `fit`, `evaluate`, what they recorded, and the weights with their story.

Nothing here prints. Whoever wants to watch passes callbacks.
"""

from minicnn.training.checkpoint import Story, load_checkpoint, save_checkpoint
from minicnn.training.history import Epoch, History, Score, plot_history, save_history, save_table
from minicnn.training.loop import Callback, StoppedError, confusion_matrix, evaluate, fit
from minicnn.training.snapshot import former, load_snapshot, save_snapshot

__all__ = [
    "Callback",
    "Epoch",
    "History",
    "Score",
    "StoppedError",
    "Story",
    "confusion_matrix",
    "evaluate",
    "fit",
    "former",
    "load_checkpoint",
    "load_snapshot",
    "plot_history",
    "save_checkpoint",
    "save_history",
    "save_snapshot",
    "save_table",
]
