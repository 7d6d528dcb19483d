"""The training loop, written once: `fit`, `evaluate`, what they recorded, and the weights with their story.

Nothing here prints. Whoever wants to watch passes callbacks.
"""

from minicnn.training.checkpoint import Story, load_checkpoint, save_checkpoint
from minicnn.training.history import Epoch, History, Score, plot_history, save_history
from minicnn.training.loop import confusion_matrix, evaluate, fit

__all__ = [
    "Epoch",
    "History",
    "Score",
    "Story",
    "confusion_matrix",
    "evaluate",
    "fit",
    "load_checkpoint",
    "plot_history",
    "save_checkpoint",
    "save_history",
]
