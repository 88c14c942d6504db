"""Exchanges between processes of PyTorch that end with an error where another process has failed."""

import datetime
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.distributed as dist

from kerasmith.distribution._replica_error import SetupError
from kerasmith.distribution.engines.watch import Watch

_PATIENCE = datetime.timedelta(seconds=1)
# Gradients are sent in pieces of this size, as by DistributedDataParallel.
BUCKET = 25 * 2**20


class Collectives:
    """Sums, copies and gathers tensors over all processes.

    Args:
        watch: the `Watch` that knows of failures.
        device: where tensors have to be for the exchange.
    """

    def __init__(self, watch: Watch, device: str) -> None:
        self.watch: Watch = watch
        self.device: str = device
        self.rank: int = watch.rank
        self.count: int = watch.count
        # The callback of the first process that is under way, for which the others do not wait.
        self.refused: str | None = None
        # How many exchanges there were, and the bytes that this process sent.
        self.sent: dict[str, int] = {"exchanges": 0, "bytes": 0}

    def sum_(self, tensors: list[Any]) -> None:
        """Replaces contiguous tensors by their sums over all processes."""
        self._all([(lambda one=one: dist.all_reduce(one, async_op=True), one) for one in tensors])

    def copy_(self, tensors: list[Any], source: int = 0) -> None:
        """Replaces contiguous tensors by those of one process."""
        self._all([(lambda one=one: dist.broadcast(one, source, async_op=True), one) for one in tensors])

    def gather(self, tensor: Any) -> list[Any]:
        """Tensors of one shape and dtype, of all processes."""
        found = [torch.empty_like(tensor) for _ in range(self.count)]
        self._all([(lambda: dist.all_gather(found, tensor, async_op=True), tensor)])
        return found

    def gather_numbers(self, *numbers: int) -> np.ndarray:
        """(processes, numbers) of whole numbers."""
        tensor = torch.tensor(numbers, dtype=torch.int64, device=self.device)
        return np.stack([one.cpu().numpy() for one in self.gather(tensor)])

    def gather_rows(self, tensor: Any) -> list[Any]:
        """Tensors that differ in their first dimension only, of all processes."""
        rows = self.gather_numbers(len(tensor))[:, 0]
        padded = torch.zeros((int(rows.max()), *tensor.shape[1:]), dtype=tensor.dtype, device=tensor.device)
        padded[: len(tensor)] = tensor
        if not padded.numel():
            return [padded[:0]] * self.count
        whole = self._moved(padded)
        return [part[: int(n)].to(tensor.device) for part, n in zip(self.gather(whole), rows, strict=True)]

    def copy_bytes(self, data: bytes) -> bytes:
        """What process 0 gives."""
        length = int(self.gather_numbers(len(data))[0, 0])
        given = np.frombuffer(data, np.uint8) if self.rank == 0 else np.zeros(length, np.uint8)
        tensor = torch.tensor(given, device=self.device)
        self.copy_([tensor])
        return tensor.cpu().numpy().tobytes()

    def sum_many_(self, tensors: list[Any]) -> None:
        """Replaces any tensors by their sums, in pieces of `BUCKET` bytes; those of one dtype travel together."""
        self._many(tensors, self.sum_)

    def copy_many_(self, tensors: list[Any]) -> None:
        """Replaces any tensors by those of process 0."""
        self._many(tensors, self.copy_)

    def _many(self, tensors: list[Any], exchange: Callable[[list[Any]], None]) -> None:
        buckets = buckets_of(tensors)
        flat = [self._moved(torch.cat([one.detach().reshape(-1) for one in bucket])) for bucket in buckets]
        exchange(flat)
        for bucket, result in zip(buckets, flat, strict=True):
            parts = torch.split(result, [one.numel() for one in bucket])
            for one, part in zip(bucket, parts, strict=True):
                one.detach().copy_(part.view(one.shape))

    def _moved(self, tensor):
        return tensor if tensor.device.type == self.device else tensor.to(self.device)

    def _all(self, exchanges):
        if self.refused is not None:
            raise SetupError(
                f"{self.refused} runs in the first process alone and needs the others, as for `evaluate`. Give its class "
                '`processes = "every"`.'
            )
        self.watch.check()
        self.watch.wait_for(f"{len(exchanges)} tensors, the first {tuple(exchanges[0][1].shape)}" if exchanges else "nothing")
        try:
            works = [begin() for begin, _ in exchanges]
            for work in works:
                self._finish(work)
        except RuntimeError as problem:
            raise self.watch.explain(problem) from None
        finally:
            self.watch.waiting = False
        self.sent["exchanges"] += len(exchanges)
        self.sent["bytes"] += sum(one.numel() * one.element_size() for _, one in exchanges)

    def _finish(self, work):
        while True:
            try:
                work.wait(_PATIENCE)
                return
            except RuntimeError as problem:
                if work.is_completed() or "timed out" not in str(problem).lower():
                    raise
            self.watch.check()


def buckets_of(tensors: list[Any], size: int = BUCKET) -> list[list[Any]]:
    """Tensors in groups of one dtype and device with at most `size` bytes, or one tensor."""
    groups: dict[Any, list[list[Any]]] = {}
    filled: dict[Any, int] = {}
    for one in tensors:
        key, weight = (one.dtype, one.device), one.numel() * one.element_size()
        if key not in groups or filled[key] + weight > size:
            groups.setdefault(key, []).append([])
            filled[key] = 0
        groups[key][-1].append(one)
        filled[key] += weight
    return [bucket for group in groups.values() for bucket in group]
