"""What the data decide about the loss, its class weights and the metrics."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kerasmith.recipes.training.config import Config
from kerasmith.recipes.training.config_error import ConfigError, Place
from kerasmith.recipes.training.expression import Call, Product, parse_sum, text_of
from kerasmith.recipes.training.loss_expression import LossTerm, terms_of

_RARE = 0.01


def decide_loss(decided: Callable[..., Any], config: Config, known_data: Mapping[str, Any]) -> None:
    """Decides on the loss; `class_weights=auto` becomes numbers, in a loss that was set too."""
    shares = known_data["class_shares"]
    rare = min(shares.values()) < _RARE
    usual = "0.5*dice + 0.5*ce(class_weights=auto)" if rare else "0.5*dice + 0.5*ce"
    why = "regions and pixels; a class is rare, so classes are weighed" if rare else "regions and pixels"
    products = parse_sum(usual, Place("loss")) if config.is_auto("loss") else config["loss"]
    terms = terms_of(products)
    weights = class_weights(list(shares.values()))
    for term in terms:
        _check_weights(term, list(shares))
    products = [_with_weights(config, product, term, weights) for product, term in zip(products, terms, strict=True)]
    text = text_of(products)
    decided("loss", text, why, written=text)


def class_weights(shares: Sequence[float]) -> list[float]:
    """Median-frequency weights: median(f) / f_c, at most a factor of 10 from 1, scaled to a mean of 1.

    >>> class_weights([0.5, 0.25, 0.25])
    [0.6, 1.2, 1.2]

    Reference: Eigen and Fergus, "Predicting depth, surface normals and semantic labels", 2015.
    """
    present = sorted(share for share in shares if share > 0)
    median = (present[(len(present) - 1) // 2] + present[len(present) // 2]) / 2
    raw = [min(max(median / share, 0.1), 10.0) if share > 0 else 1.0 for share in shares]
    return [round(value * len(raw) / sum(raw), 4) for value in raw]


def decide_metrics(decided: Callable[..., Any], config: Config, names: Sequence[str]) -> None:
    """Decides on the metrics."""
    several = len(names) > 2
    usual = (
        ["dice_score(per='dataset', include_background=false)", "iou(per='dataset')"]
        if several
        else ["dice_score(per='dataset')"]
    )
    given = None if config.is_auto("metrics") else [text_of(call) for call in config["metrics"]]
    decided("metrics", usual, "of all held-out pixels", written=given)


def _check_weights(term: LossTerm, names: list[str]) -> None:
    """Refuses `class_weights` of another number than the classes."""
    weights = term.arguments.get("class_weights")
    if not isinstance(weights, list):
        return
    place = term.places.get("class_weights") or term.place
    if len(names) == 2 and not term.weighs_pixels:
        raise ConfigError(
            place, f"`{term.part.name}` of one foreground class has no classes to weigh. Remove `class_weights`."
        )
    if len(weights) != len(names):
        raise ConfigError(
            place,
            f"`class_weights` has one number for each of the {len(names)} classes, in this order: {', '.join(names)}. "
            f"Received: {len(weights)}.",
        )


def _with_weights(config: Config, product: Product, term: LossTerm, weights: list[float]) -> Product:
    """The product with numbers for `class_weights=auto`."""
    if term.arguments.get("class_weights") != "auto":
        return product
    if len(weights) == 2 and not term.weighs_pixels:
        raise config.error(
            "loss", f"`{term.part.name}` of one foreground class has no classes to weigh. Remove `class_weights`."
        )
    calls = []
    for call in product.calls:
        is_auto = isinstance(call.named.get("class_weights"), Call) and call.place == term.place
        calls.append(dataclasses.replace(call, named={**call.named, "class_weights": weights}) if is_auto else call)
    return dataclasses.replace(product, calls=tuple(calls))
