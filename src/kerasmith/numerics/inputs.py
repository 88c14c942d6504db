"""What a loss or metric is handed, as a tensor of numbers; anything else is refused, with what to write instead."""

from typing import Any

from keras import ops

from kerasmith._types import DType, Tensor


def as_tensor(x: Any, what: str, dtype: DType = None) -> Tensor:
    """`x` as one tensor.

    Args:
        x: a tensor, an array, or nested lists of numbers.
        what: name of the argument, for the error.
        dtype: of the tensor; that of `x` by default.

    Raises:
        TypeError: for None, texts, objects, sparse and ragged tensors, and several arrays.
        ValueError: for nested lists of unequal lengths, and for ids that JAX without 64-bit types would turn into others.
    """
    refuse_other_forms(x, what)
    tensor = ops.convert_to_tensor(x, dtype=dtype)
    if dtype is None and _kind(x) in ("i", "u") and x.dtype.itemsize == 8:
        _refuse_narrowed(x, tensor, what)
    return tensor


def _refuse_narrowed(x, tensor, what):
    narrowed = "64" not in str(tensor.dtype) and x.size
    if narrowed and not -(2**31) <= x.min() <= x.max() < 2**31:
        raise ValueError(
            f"Without 64-bit types JAX would turn ids into others. Received: {what} with ids from {x.min()} to {x.max()}. "
            f"Write `np.unique({what}, return_inverse=True)[1]`, or `jax.config.update('jax_enable_x64', True)`."
        )


def refuse_other_forms(x: Any, what: str) -> None:
    """Raises TypeError or ValueError unless `x` is one array of numbers, or nested lists of numbers."""
    if x is None:
        raise TypeError(f"`{what}` is None. Expected an array of numbers, with one row a sample.")
    if isinstance(x, dict):
        first = next(iter(x), "key")
        raise TypeError(
            f"`{what}` is a dict of {len(x)} parts ({', '.join(map(repr, x))}). Expected one array. Write "
            f"`{what}[{first!r}]`, or give each output a loss and metrics of its own: "
            "`compile(loss={name: loss}, metrics={name: [metric]})`."
        )
    if isinstance(x, (list, tuple)):
        _list_shape(x, len(x), what)
        return
    if _holds_texts(x):
        _refuse_texts(what)
    if type(x).__name__.startswith("RaggedTensor"):
        _refuse_unequal_lengths(what, f"`{what}.to_tensor()`")
    dense = _how_to_make_dense(x, what)
    if dense:
        raise TypeError(f"`{what}` is a sparse tensor. Expected a dense one. Write `{dense}`.")
    if _kind(x) == "O":
        parts = x.tolist()
        _list_shape(parts, len(x), what)
        raise TypeError(f"`{what}` is an array of Python objects. Expected numbers. Write `{what}.astype('float32')`.")


def _kind(x):
    """The kind of NumPy's dtypes, "" for others."""
    return getattr(getattr(x, "dtype", None), "kind", "")


def _holds_texts(x):
    return (
        isinstance(x, (str, bytes))
        or _kind(x) in ("U", "S", "T")
        or getattr(getattr(x, "dtype", None), "name", "") == "string"
    )


def _how_to_make_dense(x, what):
    """What makes a sparse tensor dense, as source; None for other tensors."""
    name, module = type(x).__name__, type(x).__module__
    if name == "SparseTensor" and module.startswith("tensorflow"):
        return f"tf.sparse.to_dense({what})"
    if module.startswith("jax.experimental.sparse"):
        return f"{what}.todense()"
    if module.startswith("scipy.sparse"):
        return f"{what}.toarray()"
    return f"{what}.to_dense()" if str(getattr(x, "layout", "")).startswith("torch.sparse") else None


def _list_shape(x, size, what):
    """The shape of nested lists of numbers, of which the outermost has `size` parts."""
    if isinstance(x, (list, tuple)):
        shapes = {_list_shape(part, size, what) for part in x}
        if len(shapes) > 1:
            _refuse_unequal_lengths(what, f"`keras.utils.pad_sequences({what}, padding='post', dtype='float32')`")
        return (len(x), *(shapes.pop() if shapes else ()))
    if x is None:
        raise TypeError(
            f"`{what}` holds None. Expected numbers. Write NaN or an id that is no class for a missing label, and pass a "
            "`sample_weight` of 0 there, or `ignore_class`."
        )
    if isinstance(x, dict):
        raise TypeError(f"`{what}` is a list of dicts. Expected one array: `[part[key] for part in {what}]`, stacked.")
    if _holds_texts(x):
        _refuse_texts(what)
    if getattr(x, "shape", ()) == ():
        return ()
    refuse_other_forms(x, what)
    raise TypeError(
        f"`{what}` is a list of {size} arrays, which may be samples or outputs. Expected one array. Write "
        f"`keras.ops.stack({what})` if they are the samples of one batch; give each output of a model a loss and metrics of "
        "its own: `compile(loss=[...], metrics=[[...], ...])`."
    )


def _refuse_unequal_lengths(what, advice):
    raise ValueError(
        f"`{what}` has rows of unequal lengths. Expected an array with one length for all. Write {advice}, which fills up "
        "with 0, and pass a `sample_weight` of 0 there."
    )


def _refuse_texts(what):
    raise TypeError(
        f"`{what}` holds texts. Expected numbers. Write `numpy.unique({what}, return_inverse=True)[1]` for class ids 0, 1, "
        "... in the alphabetical order of the texts."
    )
