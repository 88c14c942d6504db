"""A generator and a discriminator, trained against each other by `fit`."""

from typing import Any

import keras
from keras import ops, tree

from kerasmith._types import Config, Tensor, Tensors
from kerasmith.adversarial import averaged_generator
from kerasmith.adversarial.adversarial_step import AdversarialStep
from kerasmith.adversarial.checked_arguments import (
    check_compile,
    check_networks,
    checked_discriminator_loss,
    checked_generator_loss,
    checked_penalty,
)
from kerasmith.adversarial.generator_term import Column, GeneratorTerm, objective_of_generator
from kerasmith.adversarial.latent import KINDS, drawing
from kerasmith.adversarial.real_weights import WeighsReal
from kerasmith.base import register
from kerasmith.base.arguments import check_choice, check_integer, check_number
from kerasmith.keras_internals.layers import replace_tracked
from kerasmith.keras_internals.own_steps import OptimizerGroup
from kerasmith.keras_internals.surviving_variables import SurvivingVariables
from kerasmith.objectives.term_columns import refuse_clashes


@register
class Adversarial(WeighsReal, AdversarialStep, SurvivingVariables, keras.Model):
    """A generator and a discriminator that `fit` trains against each other (since 0.2).

    For each batch, `discriminator_steps` times for the discriminator and once for the generator, which gets new random input
    each time:

        discriminator:  mean l_D(1, D(real)) + mean l_D(0, D(generated)) + penalty
        generator:      mean l_G(0, D(generated)) + sum_k weight_k term_k

    and for each network its own regularisers. `fit(real)` draws the input of the generator by its input shape. `fit(x, y)`
    makes generated samples of x, to be judged beside y: alone by a discriminator with one input, by one with more together
    with x, as `[x, sample]`. Inputs of the generator that `x` does not give are drawn if they have the name "latent".

    Columns are `generator` and `discriminator` (the means of l_G, and of l_D for real and generated samples together), one for
    each term, without its weight, `gradient_penalty`, and the metrics of `compile`, which compare real and generated samples.

    Args:
        generator: a model from random input, or x, to samples.
        discriminator: a model from samples (or [x, sample]) to raw outputs, without a sigmoid: (B, 1), or one for each patch.
        generator_loss: a `losses.GeneratorLoss`, or its kind: "bce", "hinge", "least_squares" or "wgan".
        discriminator_loss: a `losses.DiscriminatorLoss`, another loss of (1 = real or 0 = generated, raw output), or a kind.
        discriminator_steps: updates of the discriminator for each of the generator, all on the same real samples.
        terms: what else the generator minimises: a dict {name: `Term`, loss or function} or a list, as in `Objective`. `y` is
            the real batch, `y_pred` the generated one. A loss compares sample with sample, which needs fit(x, y).
        penalty: a `losses.GradientPenalty`, or its kind: "wgan_gp" or "r1".
        ema: decay, 0 to 1, of an exponential moving average of the generator's weights, which begins at those before the
            first step and is taken after each; then `predict`, `evaluate` and validation use that average,
            `averaged_generator`. None for none.
        latent: how random input is drawn: "normal", or "uniform" for -1 to 1.
        seed: of the random input; its state is saved and resumed with the model.
        name, dtype: see `keras.Model`.

    Weights of samples (`fit(..., sample_weight=...)`) weigh real samples; in fit(x, y) all that belongs to a pair. Batch
    normalisation and dropout of both networks are in training mode in all steps of `fit`; both are called on real and on
    generated samples separately.

    Attributes:
        generator_optimizer, discriminator_optimizer: what `compile` was given; `callbacks.ScheduleLR(schedule,
            optimizer="generator_optimizer")` drives one of them.

    Raises:
        ValueError: for shapes of the two networks that do not fit, unknown kinds, or a term with the name of a column.
        TypeError: for a loss of another kind; a cross-entropy of Keras as `generator_loss` would train it backwards.

    Example:

    >>> generator = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    >>> discriminator = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    >>> model = Adversarial(generator, discriminator, "hinge", "hinge", discriminator_steps=2)
    >>> model.compile(generator_optimizer="adam", discriminator_optimizer=keras.optimizers.Adam(1e-4))
    >>> real = ops.ones((8, 3))
    >>> sorted(model.fit(real, verbose=0).history)
    ['discriminator', 'generator']
    >>> model.predict(ops.ones((5, 2)), verbose=0).shape
    (5, 3)

    Reference: Goodfellow et al., "Generative adversarial nets", 2014; for `ema`, Yazici et al., "The unusual effectiveness of
    averaging in GAN training", 2019. For losses and penalties see `losses.DiscriminatorLoss` and `losses.GradientPenalty`.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        generator_loss: Any = "bce",
        discriminator_loss: Any = "bce",
        discriminator_steps: int = 1,
        terms: Any = None,
        *,
        penalty: Any = None,
        ema: float | None = None,
        latent: str = "normal",
        seed: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        check_integer("discriminator_steps", discriminator_steps, minimum=1)
        check_choice("latent", latent, KINDS)
        if ema is not None:
            check_number("ema", ema, minimum=0, below=1)
        inputs = check_networks(generator, discriminator)
        super().__init__(name=name, **kwargs)
        self.generator = generator
        self.discriminator = discriminator
        self.generator_loss = checked_generator_loss(generator_loss)
        self.discriminator_loss = checked_discriminator_loss(discriminator_loss)
        self.discriminator_steps = discriminator_steps
        self.penalty = checked_penalty(penalty)
        self.ema = ema
        self.latent = latent
        self.seed = seed
        self.objective = objective_of_generator(self.generator_loss, terms)
        self.discriminator_column = Column(name="discriminator")
        self.penalty_column = None if self.penalty is None else Column(name=self.penalty.name)
        names = [tracker.name for tracker in (self.discriminator_column, self.penalty_column) if tracker is not None]
        refuse_clashes([term.name for term in self.objective.terms], names)
        self.latent_seed = keras.random.SeedGenerator(seed, name="latent_seed")
        # Of its own: what evaluation draws must not change what training draws.
        self.evaluation_seed = keras.random.SeedGenerator(0 if seed is None else seed + 1, name="evaluation_seed")
        self.averaged_generator = None
        object.__setattr__(self, "_network_inputs", inputs)
        if self.has_networks:
            self.build()

    @property
    def has_networks(self) -> bool:
        """Whether both networks have their weights, which they bring or get from the first batch."""
        return self.generator.built and self.discriminator.built

    def build(self, input_shape: Any = None) -> None:
        """Makes what stands on the weights of both networks."""
        if not self.has_networks:
            return
        object.__setattr__(self, "_network_inputs", check_networks(self.generator, self.discriminator))
        if not self.objective.built:
            self.objective.bind(self)
        if self.ema is not None and self.averaged_generator is None:
            replace_tracked(self, "averaged_generator", averaged_generator.averaged_copy(self.generator))

    def compile(
        self,
        generator_optimizer: Any = None,
        discriminator_optimizer: Any = None,
        *,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: Any = "auto",
        auto_scale_loss: bool = True,
        **others: Any,
    ) -> None:
        """Sets what trains.

        Args:
            generator_optimizer, discriminator_optimizer: two optimizers, or their names.
            metrics, weighted_metrics: of (real samples, generated samples).
            run_eagerly, steps_per_execution, jit_compile, auto_scale_loss: see `keras.Model.compile`.

        Raises:
            ValueError: if one optimizer is missing, one object is given twice, or an optimizer averages weights itself.
            TypeError: for `optimizer`, `loss` and other arguments of Keras that have another place here.
        """
        given = check_compile(generator_optimizer, discriminator_optimizer, others)
        names = [getattr(metric, "name", metric) for metric in tree.flatten([metrics, weighted_metrics])]
        refuse_clashes([column.name for column in self.columns], names)
        super().compile(
            optimizer=None,
            metrics=metrics,
            weighted_metrics=weighted_metrics,
            run_eagerly=run_eagerly,
            steps_per_execution=steps_per_execution,
            jit_compile=jit_compile,
        )
        for place, optimizer in zip(("generator", "discriminator"), given, strict=True):
            policies = {self.dtype_policy.name, getattr(self, place).dtype_policy.name}
            is_scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
            if auto_scale_loss and "mixed_float16" in policies and not is_scaled:
                optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
            setattr(self, f"{place}_optimizer", optimizer)
        optimizers = {place: getattr(self, place) for place in ("generator_optimizer", "discriminator_optimizer")}
        self.optimizer = OptimizerGroup(optimizers, lambda: [self.trained_by_generator, self.trained_by_discriminator])
        if self.has_networks:
            self.optimizer.build()

    def make_train_function(self, force: bool = False) -> Any:
        """As in Keras; before the first step the average of the generator begins at the weights that it has now."""
        begins = self.train_function is None and self.averaged_generator is not None
        if begins and int(ops.convert_to_numpy(self.objective.step)) == 0:
            averaged_generator.set_equal(self.averaged_generator, self.generator)
        return super().make_train_function(force)

    @property
    def trained_by_generator(self) -> list[keras.Variable]:
        """What the generator's optimizer trains: its weights, and learned weights of terms."""
        return [*self.generator.trainable_variables, *self.objective.trainable_variables]

    @property
    def trained_by_discriminator(self) -> list[keras.Variable]:
        """What the discriminator's optimizer trains."""
        return list(self.discriminator.trainable_variables)

    @property
    def predictor(self) -> keras.Model:
        """The generator that `predict` and `evaluate` use: the average, if there is one."""
        return self.generator if self.averaged_generator is None else self.averaged_generator

    def call(self, inputs: Tensors, training: bool | None = None) -> Tensor:
        """What the generator makes of its input; of several, those with the name "latent" may be left out."""
        network, seed = (self.generator, self.latent_seed) if training else (self.predictor, self.evaluation_seed)
        size = ops.shape(tree.flatten(inputs)[0])[0]
        slots = self._network_inputs["generator"].slots
        if slots is not None and len(tree.flatten(inputs)) < len(slots):
            inputs = self._network_inputs["generator"].completed(inputs, drawing(self.latent, size, seed))
        return network(inputs, training=bool(training))

    @property
    def columns(self) -> list[Any]:
        """What `fit` shows beside the metrics of `compile`: means, in their order."""
        own = [] if not self.objective.built else list(self.objective.trackers)
        return [
            *own[:1],
            *(column for column in (self.discriminator_column, self.penalty_column) if column is not None),
            *own[1:],
        ]

    @property
    def metrics(self) -> list[Any]:
        """The columns, and the metrics of `compile`."""
        columns = self.columns
        known = {id(column) for column in columns}
        others = [metric for metric in super().metrics if id(metric) not in known and metric.name != "loss"]
        return [*columns, *others]

    def reset_metrics(self) -> None:
        """As in Keras; evaluation draws the same numbers again."""
        super().reset_metrics()
        self.evaluation_seed.state.assign([0 if self.seed is None else self.seed + 1, 0])

    # Saving.

    def get_config(self) -> Config:
        serialize = keras.saving.serialize_keras_object
        return {
            "generator": serialize(self.generator),
            "discriminator": serialize(self.discriminator),
            "generator_loss": serialize(self.generator_loss),
            "discriminator_loss": serialize(self.discriminator_loss),
            "discriminator_steps": self.discriminator_steps,
            "terms": [serialize(term) for term in self.objective.terms if not isinstance(term, GeneratorTerm)],
            "penalty": None if self.penalty is None else serialize(self.penalty),
            "ema": self.ema,
            "latent": self.latent,
            "seed": self.seed,
            "name": self.name,
            "dtype": serialize(self.dtype_policy),
        }

    @classmethod
    def from_config(cls, config: Config) -> Any:
        restore = keras.saving.deserialize_keras_object
        terms = [restore(term) for term in config["terms"]]
        plain = ("discriminator_steps", "ema", "latent", "seed", "name")
        return cls(
            *(restore(config[part]) for part in ("generator", "discriminator", "generator_loss", "discriminator_loss")),
            terms=terms or None,
            penalty=None if config["penalty"] is None else restore(config["penalty"]),
            dtype=restore(config["dtype"]),
            **{name: config[name] for name in plain},
        )

    def get_compile_config(self) -> Config:
        config = super().get_compile_config()
        if not config:
            return config
        given = {
            name: config[name] for name in ("metrics", "weighted_metrics", "run_eagerly", "steps_per_execution", "jit_compile")
        }
        for place in ("generator_optimizer", "discriminator_optimizer"):
            given[place] = keras.saving.serialize_keras_object(getattr(self, place))
        return given

    def compile_from_config(self, config: Config) -> None:
        self.compile(**keras.saving.deserialize_keras_object(config))

    def save_own_variables(self, store: Any) -> None:
        store["latent_seed"] = self.latent_seed.state

    def load_own_variables(self, store: Any) -> None:
        if "latent_seed" in store:
            self.latent_seed.state.assign(store["latent_seed"])
