"""Writes docs/train.md: `python -m tests.recipes.training.page`; a test holds the page to the keys and the parts."""

import pathlib

from kerasmith.recipes.training import catalogue
from kerasmith.recipes.training.config_error import Place
from kerasmith.recipes.training.expression import parse_call
from kerasmith.recipes.training.fields import AUTO, FIELDS, REQUIRED
from kerasmith.recipes.training.part_calls import OF_CALLBACKS, OF_KERAS, OPTIMIZERS, metric_arguments
from kerasmith.recipes.training.resolved_file import yaml_text
from kerasmith.recipes.training.run_directory import FREE

PAGE = pathlib.Path(__file__).parents[3] / "docs" / "train.md"

EXAMPLE = """\
images: data/images
masks: data/masks
classes: [background, vessel]
void: 255
validation: 0.25
group: '(patient[0-9]+)_'
loss: 0.6*dice + 0.4*ce(class_weights=auto) + ramp(0, 0.3, epochs=20:60)*boundary
metrics: [dice_score, iou(per='dataset'), surface_distance]
model: unet(widths=[16, 32, 64, 96])
optimizer: adamw(weight_decay=0.01)
schedule: warmup(cosine_restarts(20, 2, eta_max=0.002), 2)
augment: {rotate: true, mirror: true, scale: 0.2, noise: 0.1}
callbacks: [early_stopping(patience=20), top_k_checkpoints(k=2)]
epochs: 80
"""

TEMPLATE = """\
# `kerasmith train`: from folders to a trained model, without code

Written by `python -m tests.recipes.training.page`; a test holds it to what the command does.

```
pip install "kerasmith[train,torch]"
kerasmith train config.yaml --plan     # says what would be done and why; trains nothing, writes nothing
kerasmith train config.yaml            # trains; run again, it goes on where it stopped
kerasmith train config.yaml --epochs 90        # raised later: the run goes on
kerasmith train other.yaml --from runs/config  # a new run that starts from the weights of another
kerasmith predict runs/config IMAGES --out DIR
```

Three lines are a configuration:

```yaml
images: data/images
masks: data/masks
classes: 2
```

Everything else is decided by the data, and `--plan` tells each decision with its reason. The run directory has
`config.resolved.yaml`, in which every key is written out: it is a configuration that gives the same run. Beside it lie
`model.keras`, `plan.json`, `history.csv`, `summary.json`, `report.html` and `checkpoints`. Paths are relative to the
configuration. From Python: `kerasmith.recipes.train("config.yaml")`, or a dict of the same keys.

A longer one:

```yaml
{example}```

## Keys

| key | what it takes | when it is not set | such as |
|---|---|---|---|
{keys}

`auto` is the same as not set, where the data decide.

## Data

Images and masks have the same names; a mask may end in `_mask`, `_seg`, `_label` and the like. A pixel of a mask is the
id of its class. `classes: 2` is background and one foreground class; where the masks hold 0 and one other id, such as
255, that is the foreground. Names are ids from 0 on; `{{background: 0, vessel: 3}}` says the ids. With `instances:
true` each object has an id of its own: the network learns the mask and the cores of the objects, and touching ones are
kept apart. Images whose files say different spacings of their pixels are resampled to the median one.

Missing or doubled files, sizes that differ, unreadable images, ids that are no class, masks of one class only: all are
told by name before anything is trained or written.

Before the first step the command asks whether network, loss, metrics and masks belong together (see
[check_setup.md](check_setup.md)): an error ends it with what was expected, what came and what to write instead, before
anything is written; a warning is shown, stands among the events of the report and ends nothing. A run that goes on is not
asked again. `check: false` leaves it out.

## Losses

A sum of losses, each times numbers and at most one schedule; `+ - * /` and parentheses. It is no code and nothing in it
is executed.

- losses: {losses}. `ce` and `bce` are `cross_entropy`, `cldice` is `centerline_dice`.
- arguments are those of the class in `kerasmith.losses`, by name: `focal_tversky(alpha=0.3, beta=0.7)`. {given} are
  given by `train`.
- `class_weights=auto`: weights by the frequencies of the classes, median(f) / f.
- schedules, with lengths in epochs: `ramp(0, 0.3, epochs=20:60)`, {schedules} (`shifted`: in steps).

The learning rate takes the same: `schedule: one_cycle(30, 0.003)`; `constant` leaves that of the optimizer.

## Other parts

- metrics: {metrics}
- optimizers: {optimizers}, with `learning_rate`, `weight_decay`, `clipnorm` and their own arguments
- callbacks: {callbacks}; those for resuming, the report, the history and the progress are there already
- models: `unet(widths=[...])`; a network of `keras.applications` with a decoder, such as `resnet50` with random weights,
  `resnet50(weights='imagenet')` or `resnet50(weights='file.weights.h5')`; `module:function`, a function
  `(input_shape, outputs)` that returns a `keras.Model` from images to logits. The last one is imported, and so runs.
  One that gives probabilities is refused: whatever its weights are, its output then stays between 0 and 1.

## A run that goes on

The command run again goes on from the newest checkpoint and ends bit for bit as if nothing had happened. What a run has
decided stays. {free} may change; another value of any other key, other files, or files held out otherwise are refused.
A complete run is left as it is, and goes on when `epochs` are raised. `folds: 5` trains five runs, `fold-1` to
`fold-5`, and writes their mean and deviation.

## Errors

An error has the place, what was expected and what may have been meant, and the exit status is 2. Of 10,000 mutated
configurations (`python -m tests.recipes.training.fuzz 10000`) 2,045 were planned, 7,955 refused; none ended in a traceback.

    error: config.yaml:4:11: there is no loss `dicee`. Did you mean `dice` or `dice_ce` or `cldice`?
"""


def page() -> str:
    """The text of the page."""
    rows = []
    for field in FIELDS.values():
        default = (
            {REQUIRED: "required", AUTO: "the data decide"}.get(field.default) if isinstance(field.default, str) else None
        )
        default = default or f"`{yaml_text(list(field.default) if isinstance(field.default, tuple) else field.default)}`"
        choices = f": {', '.join(field.choices)}" if field.choices else ""
        rows.append(f"| `{field.name}` | {field.doc}{choices} | {default} | `{field.example}` |".replace("|)", "\\|)"))
    losses = [name for name in catalogue.names("losses") if "SegmentationLoss" in catalogue.part("losses", name).bases]
    metrics = [name for name in catalogue.names("metrics") if catalogue.OF_MASKS in catalogue.part("metrics", name).arguments]
    for name in metrics:
        metric_arguments(parse_call(name, Place(name)))
    return TEMPLATE.format(
        example=EXAMPLE,
        keys="\n".join(rows),
        losses=_listed(losses),
        given="`from_logits`, `axis`, `labels`, `ignore_class`, `name` and `reduction`",
        schedules=_listed(name for name in catalogue.names("schedules") if name != "ramp"),
        metrics=_listed(metrics),
        optimizers=_listed(OPTIMIZERS),
        callbacks=_listed([*OF_CALLBACKS, *OF_KERAS]),
        free=_listed([name for name in FREE if name != "out"]),
    )


def _listed(names):
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
