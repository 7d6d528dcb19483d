"""The training loop in PyTorch: steps that never wait for the device, epochs that wait once.

What a step finds out, its loss and how many images were right, stays on the device. The processor reads it when the
epoch is over, and is free to send the next step's work while the GPU is still at the last one's.
"""

import math
import time
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from minicnn.training import Epoch, History, Score
from reference.data import ResidentImages
from reference.distributed import World

TEST_BATCH = 500


@dataclass
class Training:
    """All that takes part in a training.

    Attributes:
        network: the network itself; what is tested and saved.
        model: the same parameters as they are trained: averaged over processes, compiled.
        train_images, test_images: what is learned, and what is not.
        optimizer, scheduler: change the parameters, and the learning rate (None: it stays).
        scheduler_per_batch: whether the scheduler is stepped after every batch, or after every epoch.
        batch_size: images of a step, of all processes together.
        bf16: whether to compute in bfloat16, training and test.
        world: the processes.
        history: what happened so far.
        speeds: images a second of every epoch, without the test.
        label_smoothing: how much of each target is spread over all classes, in training and in the test's loss.
    """

    network: nn.Module
    model: nn.Module
    train_images: ResidentImages
    test_images: ResidentImages
    optimizer: torch.optim.Optimizer
    scheduler: Any
    scheduler_per_batch: bool
    batch_size: int
    bf16: bool
    world: World
    history: History = field(default_factory=History)
    speeds: list[float] = field(default_factory=list)
    label_smoothing: float = 0.0

    def run_epoch(self) -> Epoch:
        """Go through the training images once, then through the test images.

        Returns: the epoch's record, which `history` has too; equal in all processes.

        Raises:
            FloatingPointError: where a loss was no finite number.
        """
        began = time.perf_counter()
        number = len(self.history.epochs) + 1
        learning_rate = self.optimizer.param_groups[0]["lr"]
        plan = self.train_images.draw_epoch(self.batch_size)
        *sums, correct = self.world.add_up(self.train(plan)).tolist()  # the one time to wait
        images = len(self.train_images)
        losses = [total / (stop - start) for total, (start, stop) in zip(sums, self.batches(), strict=True)]
        self.speeds.append(images / (time.perf_counter() - began))
        for batch, loss in enumerate(losses, start=1):
            if not math.isfinite(loss):
                raise FloatingPointError(
                    f"training diverged: the loss became {loss} in epoch {number}, batch {batch}; "
                    "try a smaller learning rate"
                )
        test = self.test()
        if self.scheduler is not None and not self.scheduler_per_batch:
            self.scheduler.step()
        epoch = Epoch(
            number, time.perf_counter() - began, learning_rate, Score(sum(sums) / images, correct / images), test
        )
        self.history.losses.extend(losses)
        self.history.epochs.append(epoch)
        return epoch

    def batches(self) -> list[tuple[int, int]]:
        """Where each batch begins and ends in the epoch's order; the last may be smaller."""
        images = len(self.train_images)
        return [(start, min(start + self.batch_size, images)) for start in range(0, images, self.batch_size)]

    def train(self, plan: Tensor) -> Tensor:
        """Take all steps of an epoch, without waiting for any.

        Args:
            plan: what `draw_epoch` gave.

        Returns: on the device, float64 (steps + 1,): the sum of the losses of this process's images in every step, and
            how many it got right in all.
        """
        batches = self.batches()
        found = torch.zeros(len(batches) + 1, dtype=torch.float64, device=plan.device)
        self.model.train()
        for step, (start, stop) in enumerate(batches):
            first, last = self.world.share(start, stop)
            images, targets = self.train_images.drawn(plan[:, first:last])
            self.optimizer.zero_grad()
            loss, correct = self.backward(images, targets, stop - start)
            self.optimizer.step()
            if self.scheduler_per_batch:
                self.scheduler.step()
            found[step] = loss
            found[-1] += correct
        return found

    def backward(self, images: Tensor, targets: Tensor, batch: int) -> tuple[Tensor, Tensor]:
        """Add the gradient of the mean loss over a batch to the parameters'.

        Args:
            images: this process's share of the batch.
            targets: its classes.
            batch: images of all shares together. Gradients are averaged over the processes; weighted so, the shares
                count by their images, however unequal they are.

        Returns: on the device, the sum of the losses of the share, and how many images of it were right.
        """
        with self.precision():
            scores = self.model(images)
        scores = scores.float()
        loss = self.loss(scores, targets)
        (loss * (self.world.size / batch)).backward()
        return loss.detach(), (scores.detach().argmax(1) == targets).sum()

    def loss(self, scores: Tensor, targets: Tensor) -> Tensor:
        """The sum over a batch of scores (B, classes) and targets (B,)."""
        return F.cross_entropy(scores, targets, reduction="sum", label_smoothing=self.label_smoothing)

    @torch.no_grad()
    def test(self) -> Score:
        """Score the network on the test images, each process on its share of them, each image once."""
        self.world.spread_buffers(self.network)
        self.network.eval()
        first, last = self.world.share(0, len(self.test_images))
        found = torch.zeros(2, dtype=torch.float64, device=self.test_images.targets.device)
        for start in range(first, last, TEST_BATCH):
            images, targets = self.test_images.in_order(start, min(start + TEST_BATCH, last))
            with self.precision():
                scores = self.network(images)
            scores = scores.float()
            found[0] += self.loss(scores, targets)
            found[1] += (scores.argmax(1) == targets).sum()
        loss, correct = (self.world.add_up(found) / len(self.test_images)).tolist()
        return Score(loss, correct)

    def precision(self) -> torch.autocast:
        """A block that computes in bfloat16, or in float32."""
        return torch.autocast(self.train_images.targets.device.type, torch.bfloat16, enabled=self.bf16)
