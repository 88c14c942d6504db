"""Objects and their saved configurations in one readable line."""

from typing import Any

from kerasmith.report.numbers import format_number

_LEFT_OUT = {"name", "dtype", "reduction", "trainable"}


def describe(value: Any) -> str:
    """A short text of a number, a function, a serialised or live configurable object, or a container of them.

    >>> describe({"class_name": "Adam", "config": {"name": "adam", "learning_rate": 0.001, "clipnorm": None}})
    'Adam(learning_rate=0.001)'
    >>> describe({"mask": len, "edges": "mse"})
    'mask: len, edges: mse'
    """
    if isinstance(value, dict):
        if "class_name" in value and isinstance(value.get("config"), dict):
            return _call(value["class_name"].split(">")[-1], value["config"])
        if "class_name" in value:
            return str(value.get("config") or value["class_name"])
        return ", ".join(f"{key}: {describe(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(describe(item) for item in value)
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, (str, int)) or value is None:
        return value if isinstance(value, str) else format_number(value)
    if hasattr(value, "get_config"):
        try:
            return _call(type(value).__name__, value.get_config())
        except Exception:  # a user's get_config may do anything, and a report must not end a run
            return type(value).__name__
    return getattr(value, "__name__", None) or type(value).__name__


def _call(name: str, config: dict[str, Any]) -> str:
    packed = config.get("weights")
    if isinstance(packed, dict) and "sha256" in packed:  # a model inside of a loss, with all its weights
        return f"{name}({config['model']['config'].get('name')}, weights={packed['sha256'][:12]})"
    unused = {"ema_momentum"} if config.get("use_ema") is False else set()
    options = {k: v for k, v in config.items() if k not in _LEFT_OUT | unused and v is not None and v is not False}
    return f"{name}({', '.join(f'{k}={describe(v)}' for k, v in options.items())})"
