"""The steps of an adversarial training, the same on each backend."""

import dataclasses
import functools
from typing import Any

from keras import ops, tree

from kerasmith._types import Tensor, Tensors
from kerasmith.adversarial import averaged_generator
from kerasmith.adversarial.generator_term import JudgedInputs
from kerasmith.adversarial.latent import drawing, placeholder
from kerasmith.adversarial.real_weights import unpacked
from kerasmith.base.reduction import reduce_samples
from kerasmith.distribution import averaged_gradients, cross_replica_sum, global_value
from kerasmith.keras_internals.layers import added_loss
from kerasmith.keras_internals.own_steps import OwnSteps, added_losses, apply_gradients, gradients_of, without_gradients
from kerasmith.keras_internals.tensors import output_spec
from kerasmith.numerics.tensors import accumulation_dtype, compatible, static_shape
from kerasmith.objectives.step_inputs import as_tensors


@dataclasses.dataclass(frozen=True)
class RealBatch:
    """What the data gives for one step.

    Attributes:
        x: what generated samples are made of; None where that is drawn.
        real: real samples.
        weight: sample weights, or None.
    """

    x: Any
    real: Any
    weight: Any


class AdversarialStep(OwnSteps):
    """Mixin for `Adversarial`: what happens with a batch."""

    def step(self, batch: Any, training: bool) -> dict[str, Any]:
        """The updates of both networks, or in evaluation none."""
        batch = read_batch(batch)
        self._network_inputs["discriminator"].check_condition(batch.x)
        if training:
            for _ in range(self.discriminator_steps):
                self._train_discriminator(batch)
            generated = self._train_generator(batch)
        else:
            generated = self._evaluate(batch)
        return self.compute_metrics(batch.x, batch.real, generated, batch.weight)

    def build_on(self, batch: Any) -> None:
        """Builds networks, optimizers and metrics on placeholders of a batch."""
        batch = read_batch(batch)
        self._network_inputs["discriminator"].check_condition(batch.x)
        draw = functools.partial(placeholder, static_shape(batch.real, "real samples")[0])
        generated = self.generator(self._network_inputs["generator"].completed(batch.x, draw))
        check_same_shape(generated, batch.real)
        self.discriminator(self._network_inputs["discriminator"].judged(batch.x, generated))
        self.build()
        self.optimizer.build()
        if not self.metrics_are_built:
            output_spec(self.compute_metrics, batch.x, batch.real, generated, batch.weight)

    # Parts.

    def _generate(self, batch, network, seed, training):
        draw = drawing(self.latent, ops.shape(batch.real)[0], seed)
        generated = network(self._network_inputs["generator"].completed(batch.x, draw), training=training)
        check_same_shape(generated, batch.real)
        return generated

    def _judge(self, batch, sample, training):
        return self.discriminator(self._network_inputs["discriminator"].judged(batch.x, sample), training=training)

    def _train_discriminator(self, batch):
        with without_gradients():
            generated = ops.stop_gradient(self._generate(batch, self.generator, self.latent_seed, training=True))

        def loss():
            shares, own = self._discriminator_shares(batch, generated, training=True)
            return self._with_own(sum(shares.values()), own), shares

        self._show(batch, _update("discriminator", self.trained_by_discriminator, self.discriminator_optimizer, loss))

    def _discriminator_shares(self, batch, generated, training, seed=None):
        """({column: this replica's part of what the discriminator minimises}, its regularisers)."""
        real = self._judge(batch, batch.real, training)
        own = added_losses(self.discriminator, with_weights=False) if training else []
        made = self._judge(batch, generated, training)
        own = own + (added_losses(self.discriminator) if training else [])
        of_real = self.discriminator_loss(ops.ones_like(real), real, batch.weight)
        of_made = self.discriminator_loss(ops.zeros_like(made), made, _paired_weight(batch))
        dtype = accumulation_dtype(of_real.dtype)
        shares = {"discriminator": ops.cast(of_real, dtype) + ops.cast(of_made, dtype)}
        if self.penalty is not None:
            values = self.penalty(
                lambda sample: self._judge(batch, sample, training),
                batch.real,
                generated,
                seed=self.latent_seed if training else self.evaluation_seed,
            )
            shares["penalty"] = reduce_samples(values, "sum_over_batch_size", weight=_whole(batch.weight))
        return shares, own

    def _train_generator(self, batch):
        def loss():
            generated = self._generate(batch, self.generator, self.latent_seed, training=True)
            own = added_losses(self.generator)
            return self._with_own(self._generator_total(batch, generated, training=True), own), generated

        generated = _update("generator", self.trained_by_generator, self.generator_optimizer, loss)
        if self.averaged_generator is not None:
            averaged_generator.update(self.averaged_generator, self.generator, self.ema)
        return ops.stop_gradient(generated)

    def _generator_total(self, batch, generated, training):
        """What the generator minimises; updates its columns."""
        comparing = [term.name for term in self.objective.terms[1:] if term.loss is not None]
        if comparing and batch.x is None:
            raise ValueError(
                f"The term {comparing[0]!r} compares each generated sample with a real one, but in fit(real) they do not "
                "belong together. Write fit(x, y) for samples that are made of x; for a comparison of whole batches, or of "
                "generated samples alone, write a function of what it needs, such as `def term(y, y_pred)`."
            )
        inputs = JudgedInputs(
            x=batch.x,
            y=batch.real,
            y_pred=generated,
            sample_weight=_paired_weight(batch),
            features={},
            model=self,
            training=training,
            step=ops.convert_to_tensor(self.objective.step),
            outputs=self._judge(batch, generated, training),
        )
        return self.objective.compute(inputs)[0]

    def _evaluate(self, batch):
        generated = self._generate(batch, self.predictor, self.evaluation_seed, training=False)
        shares, _ = self._discriminator_shares(batch, generated, training=False)
        self._show(batch, shares)
        self._generator_total(batch, generated, training=False)
        return generated

    def _with_own(self, total, own):
        """The total and what a network itself adds: regularisers and `add_loss`."""
        for part in own:
            total = total + ops.cast(added_loss(self, part), total.dtype)
        return total

    def _show(self, batch, shares):
        samples = cross_replica_sum(ops.cast(ops.shape(batch.real)[0], "float32"))
        self.discriminator_column.update_state(global_value(shares["discriminator"]), sample_weight=samples)
        if "penalty" in shares:
            self.penalty_column.update_state(global_value(shares["penalty"]), sample_weight=samples)


def read_batch(data: Any) -> RealBatch:
    """The parts of a batch: of (real,), (x, real) or (x, real, sample_weight).

    Raises:
        ValueError: if real samples are not one tensor.
    """
    x, y, weight = unpacked(data)
    x, y, weight = as_tensors(x), as_tensors(y), as_tensors(weight)
    x, real = (None, x) if y is None else (x, y)
    if tree.is_nested(real):
        flat = tree.flatten(real)
        if len(flat) != 1:
            raise ValueError(
                "Real samples must be one array: fit(real), or fit(x, y) with one array y. Received: "
                f"{len(flat)} arrays{'' if x is not None else '. To make samples of x, write fit(x, y)'}"
            )
        real = flat[0]
    return RealBatch(x, real, weight)


def check_same_shape(generated: Tensors, real: Tensor) -> None:
    """Raises ValueError if generated samples are no single tensor with the shape of real ones."""
    if tree.is_nested(generated):
        raise ValueError(
            "The generator must give one tensor, as one sample is judged. Received: "
            f"{len(tree.flatten(generated))} outputs; make a keras.Model(inputs, output) of the one that is meant."
        )
    shapes = static_shape(generated, "generated samples"), static_shape(real, "real samples")
    if not compatible(shapes[0][1:], shapes[1][1:]):
        raise ValueError(
            f"The generator gives samples of shape {shapes[0]}, but the real ones have the shape {shapes[1]}: the "
            "discriminator would tell them by their shape. Give both the same. Real samples are x in fit(x), y in fit(x, y)."
        )


def _update(name, variables, optimizer, loss):
    """One update of a network by its optimizer; `loss` returns (total, aux), of which aux is returned.

    Raises:
        ValueError: if nothing of the network can be trained.
    """
    if not variables:
        raise ValueError(
            f"The {name} has no trainable weights, so there is nothing for its optimizer to do. Set "
            f"`model.{name}.trainable = True` before `compile`, or train the other network alone with keras.Model."
        )
    gradients, aux = gradients_of(loss, variables, optimizer)
    apply_gradients(optimizer, averaged_gradients(gradients), variables)
    return aux


def _paired_weight(batch) -> Tensor | None:
    """The weights of generated samples: in pairs those of the real ones, else none."""
    return None if batch.x is None else batch.weight


def _whole(weight):
    return None if weight is None else ops.reshape(weight, (-1,))
