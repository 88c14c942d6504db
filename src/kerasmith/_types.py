"""Names for what the public API takes and returns."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

# Keras has no type of its own for what an array may be: a tensor of the backend, a KerasTensor, a NumPy array, nested lists.
Tensor: TypeAlias = Any
# Tensors, or lists and dicts of them.
Tensors: TypeAlias = Any
Scalar: TypeAlias = int | float
Path: TypeAlias = str | os.PathLike[str]
DType: TypeAlias = Any  # "float32", a DTypePolicy, or None
Logs: TypeAlias = Mapping[str, Any] | None
Config: TypeAlias = dict[str, Any]
# What a part declares to `kerasmith check`: {"independent": False}.
Contract: TypeAlias = dict[str, Any]
Reduction: TypeAlias = Literal["sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none"] | None
Labels: TypeAlias = Literal["auto", "one_hot", "sparse"]
Scope: TypeAlias = Literal["image", "batch"]
Absent: TypeAlias = Literal["score", "skip", "skip_both"]
ClassIds: TypeAlias = int | Sequence[int] | None
Function: TypeAlias = Callable[..., Any]
