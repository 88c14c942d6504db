"""Faults that are planted one by one to see whether the gate notices: `python -m tests.mutations`."""

import dataclasses

ALL = ("torch", "jax", "tensorflow")
# Code that runs on the host and knows no backend is asked on PyTorch only.
HOST = ("torch",)


@dataclasses.dataclass(frozen=True)
class Mutation:
    """One fault.

    Attributes:
        file: within `src/kerasmith`.
        old: text that stands there exactly once.
        new: what takes its place.
        why: what a user would get.
        tests: files or directories of tests that should see it.
        backends: where the fault changes anything.
    """

    file: str
    old: str
    new: str
    why: str
    tests: tuple
    backends: tuple = ALL

    def __str__(self):
        return f"{self.file}: {self.why}"


BATTERY = ("tests/losses/test_battery.py", "tests/losses/test_every_loss.py")
REPLICAS = ("tests/distribution",)

MUTATIONS = (
    # What every loss and metric stands on.
    Mutation(
        "base/reduction.py",
        'if reduction == "mean_with_sample_weight" else (valid,)',
        'if reduction == "mean_with_sample_weight" else ()',
        "masked samples count in the divisor",
        BATTERY,
    ),
    Mutation(
        "base/reduction.py",
        "weighted = ops.where(valid == 0, ops.zeros_like(weighted), weighted * ops.cast(valid, values.dtype))",
        "weighted = weighted * ops.cast(valid, values.dtype)",
        "NaN in a masked sample spoils the loss",
        (*BATTERY, "tests/objectives/test_sample_weights.py"),
    ),
    Mutation(
        "distribution/_shares.py",
        "return scale_loss_for_replicas(value * samples / cross_replica_sum(samples))",
        "return value * samples / cross_replica_sum(samples)",
        "a scalar term of one replica of PyTorch counts half",
        REPLICAS,
        ("torch",),
    ),
    Mutation(
        "base/reduction.py",
        "divisor = cross_replica_sum(ops.stop_gradient(ops.sum(divisor)))",
        "divisor = ops.stop_gradient(ops.sum(divisor))",
        "each replica divides by its own weights",
        REPLICAS,
        ("torch", "tensorflow"),
    ),
    Mutation(
        "base/weights.py",
        "return given[0] * given[1] if len(given) == 2 else",
        "return given[0] if len(given) == 2 else",
        "a metric with weights forgets the mask",
        ("tests/metrics/test_every_metric.py",),
    ),
    Mutation(
        "base/total.py",
        'initializer="zeros", dtype="float32", aggregation="sum"',
        'initializer="zeros", dtype="float16", aggregation="sum"',
        "counts stop at 2048",
        ("tests/base", "tests/metrics/test_every_metric.py"),
    ),
    Mutation(
        "distribution/_metric_sum.py",
        "return cross_replica_sum(variable.value)",
        "return variable.value",
        "a metric over several processes shows one process",
        REPLICAS,
        ("torch",),
    ),
    Mutation(
        "base/weighted_sum.py",
        "(term._replace(factor=term.factor * factor), weights)",
        "(term._replace(factor=factor), weights)",
        "a sum of sums loses the inner factors",
        ("tests/losses/test_algebra.py",),
    ),
    Mutation(
        "numerics/exact_sum.py",
        "part = ops.where(weight == 0, 0.0, part * weight)",
        "part = part * weight",
        "NaN with weight 0 spoils a metric for good",
        ("tests/base",),
    ),
    Mutation(
        "numerics/exact_sum.py",
        "carry = ops.floor(whole / _UNIT)",
        "carry = ops.zeros_like(whole)",
        "counts beyond 2**24 stand still",
        ("tests/base",),
    ),
    Mutation(
        "numerics/safe.py",
        "curve = ops.where(regular, x, ops.ones_like(x)) ** exponent",
        "curve = x**exponent",
        "the gradient of a power is NaN at 0",
        BATTERY,
    ),
    Mutation(
        "numerics/safe.py",
        "value = numerator / ops.where(empty, ops.ones_like(denominator), denominator)",
        "value = numerator / denominator",
        "the gradient is NaN where nothing is labelled",
        ("tests/losses",),
    ),
    # Losses.
    Mutation(
        "labels/overlap.py",
        "alpha * p + beta * y + smooth",
        "beta * p + alpha * y + smooth",
        "alpha weighs what is missed instead of what is added",
        ("tests/losses/test_against_closed_form.py",),
    ),
    Mutation(
        "losses/_region.py",
        "for weight in (weights.sample, weights.valid_sample):",
        "for weight in (weights.valid_sample,):",
        "sums over the batch ignore sample weights",
        BATTERY,
    ),
    Mutation(
        "losses/_region.py",
        "cross_replica_sum(ops.stack(total))",
        "ops.stack(total)",
        "`scope='batch'` means the batch of one replica",
        REPLICAS,
        ("torch", "tensorflow"),
    ),
    Mutation(
        "losses/_focal.py",
        "miss = y + p - 2.0 * y * p",
        "miss = y + p - y * p",
        "the focal factor never falls for right positives",
        ("tests/losses/test_against_libraries.py", "tests/losses/test_options_against_libraries.py"),
    ),
    Mutation(
        "losses/_cross_entropy.py",
        "+ smoothing / 2.0",
        "+ smoothing",
        "binary label smoothing is lopsided",
        ("tests/losses/test_options_against_libraries.py",),
    ),
    Mutation(
        "losses/_pixelwise.py",
        "ops.binary_crossentropy(truth, pixels.scores, from_logits=True)",
        "ops.binary_crossentropy(truth, pixels.scores, from_logits=False)",
        "logits are read as probabilities",
        ("tests/losses/test_against_libraries.py",),
        ("torch",),
    ),
    Mutation(
        "losses/_pixelwise.py",
        "enumerate(parts[1:], start=1)",
        "enumerate(parts[1:], start=0)",
        "the loss is read at the class before",
        ("tests/losses/test_against_libraries.py",),
        ("jax", "tensorflow"),
    ),
    Mutation(
        "losses/_pixelwise.py",
        "weight = by_class if weight is None else weight * by_class",
        "weight = by_class",
        "class weights replace pixel weights",
        ("tests/losses/test_against_numpy.py",),
    ),
    Mutation(
        "losses/_gaussian_nll.py",
        "return ops.stop_gradient(raised) + (x - ops.stop_gradient(x))",
        "return raised",
        "a variance below the floor never leaves it",
        ("tests/losses/test_against_regression.py",),
    ),
    Mutation(
        "losses/_pinball.py",
        "return quantiles * error + ops.relu(-error)",
        "return (1.0 - quantiles) * error + ops.relu(-error)",
        "the 10 % quantile is the 90 % quantile",
        ("tests/losses/test_against_regression.py",),
    ),
    Mutation(
        "losses/_unified_focal.py",
        "weights = [1.0 - self.delta] + [self.delta] * (pixels.channels - 1)",
        "weights = [self.delta] + [1.0 - self.delta] * (pixels.channels - 1)",
        "delta favours the background",
        ("tests/losses/test_against_rules.py",),
    ),
    Mutation(
        "losses/_generalized_dice.py",
        "weight = ops.square(smallest / ops.where(present, actual, substitute))",
        "weight = smallest / ops.where(present, actual, substitute)",
        "small classes weigh less than they should",
        ("tests/losses/test_against_closed_form.py",),
    ),
    Mutation(
        "losses/_lovasz.py",
        "slope = ops.stop_gradient(ops.where(first, ops.ones_like(share), share))",
        "slope = ops.where(first, ops.zeros_like(share), share)",
        "a false positive where nothing is labelled is free",
        ("tests/losses/test_lovasz_extension.py", "tests/losses/test_against_shape.py"),
    ),
    Mutation(
        "numerics/pairs.py",
        "ops.logical_and(ops.logical_not(same), allowed)",
        "ops.logical_not(same)",
        "masked samples are negatives of others",
        ("tests/numerics/test_pairs.py", "tests/losses/test_every_loss.py"),
    ),
    Mutation(
        "numerics/triplets.py",
        "fixed + precision * ops.abs(fixed) + 1e-30",
        "fixed - precision * ops.abs(fixed) - 1e-30",
        "a negative at the distance of the positive is no semi-hard one",
        ("tests/numerics/test_triplets.py",),
    ),
    Mutation(
        "numerics/hardest.py",
        "ops.ceil(number * k - 1e-3) if isinstance(k, float)",
        "ops.floor(number * k) if isinstance(k, float)",
        "the hardest tenth of seven pixels is none of them",
        ("tests/losses/test_against_rules.py", "tests/losses/test_every_loss.py", "tests/losses/test_against_shape.py"),
    ),
    # Labels and metrics.
    Mutation(
        "labels/pixels.py",
        "valid = None if ignored is None else ops.cast(ops.logical_not(ignored), dtype)",
        "valid = None if ignored is None else ops.cast(ops.ones_like(ignored), dtype)",
        "ignored pixels count",
        ("tests/losses/test_battery.py",),
    ),
    Mutation(
        "labels/label_check.py",
        "return values * ops.where(self.bad, math.nan, ops.ones_like(values))",
        "return ops.where(self.bad, math.nan, values)",
        "a wrong label makes the loss NaN in a compiled step and still trains",
        ("tests/labels/test_label_check.py",),
        ("jax", "tensorflow"),
    ),
    Mutation(
        "labels/label_check.py",
        "return low >= domain.low and high <= domain.high",
        "return not (low < domain.low or high > domain.high)",
        "NaN passes as a label",
        ("tests/labels/test_label_check.py",),
        ("torch",),
    ),
    Mutation(
        "labels/pixels.py",
        "ops.any(self.weight > 0, axis=3 - self.class_axis)",
        "ops.any(self.weight > -1, axis=3 - self.class_axis)",
        "a mask without a label counts as found",
        ("tests/labels/test_missing_labels.py",),
        ("torch",),
    ),
    Mutation(
        "labels/joint_counts.py",
        "known = ops.logical_and(ids >= 0, ids < classes)",
        "known = ids < classes",
        "negative ids are counted in another class",
        ("tests/metrics/test_confusion_metrics.py",),
        ("torch",),
    ),
    Mutation(
        "labels/joint_counts.py",
        "jax.numpy.minimum(unsigned, jax.numpy.uint32(classes))",
        "jax.numpy.minimum(unsigned, jax.numpy.uint32(classes - 1))",
        "ids that are no class count as the last one",
        ("tests/metrics/test_confusion_metrics.py",),
        ("jax",),
    ),
    Mutation(
        "labels/joint_counts.py",
        "tf.constant(classes, tf.uint32)",
        "tf.constant(classes - 1, tf.uint32)",
        "ids that are no class count as the last one",
        ("tests/metrics/test_confusion_metrics.py",),
        ("tensorflow",),
    ),
    Mutation(
        "labels/confusion_measures.py",
        "safe.ratio(correctly_left_out, total - actual, when_empty=absent)",
        "safe.ratio(correctly_left_out, total - predicted, when_empty=absent)",
        "specificity is the negative predictive value",
        ("tests/metrics/test_confusion_metrics.py",),
    ),
    Mutation(
        "metrics/overlap_score.py",
        '(sums.actual if self.absent == "skip" else',
        '(sums.predicted if self.absent == "skip" else',
        "missed classes are left out of the mean",
        ("tests/metrics/test_overlap_scores.py",),
    ),
    Mutation(
        "metrics/panoptic_quality.py",
        "weight = true_positives + (false_positives + false_negatives) / 2",
        "weight = true_positives + false_positives + false_negatives",
        "recognition quality is too low",
        ("tests/metrics/test_panoptic_quality.py",),
    ),
    Mutation(
        "metrics/psnr.py",
        "counts = ops.logical_and(counts, ops.logical_not(equal))",
        "counts = ops.logical_or(counts, equal)",
        "identical images count as 0 decibel",
        ("tests/metrics/test_image_quality.py",),
    ),
    Mutation(
        "metrics/calibration_error.py",
        "safe.ratio(ops.sum(difference * gap, axis=-1), total, when_empty=math.nan)",
        "safe.ratio(ops.sum(difference * difference, axis=-1), total, when_empty=math.nan)",
        "the root mean square error grows with the data",
        ("tests/metrics/test_calibration_error.py",),
    ),
    Mutation(
        "numerics/retrieval.py",
        "score = score - ops.where(same, _TIE * lengths, 0.0)",
        "score = score + ops.where(same, _TIE * lengths, 0.0)",
        "a collapsed embedding has perfect recall",
        ("tests/metrics/test_retrieval.py",),
    ),
    # Objects.
    Mutation(
        "objects/label_propagation.py",
        'ops.cast(iou > threshold, "int32")',
        'ops.cast(iou >= threshold, "int32")',
        "an IoU of the threshold itself is a match on the device",
        ("tests/objects/test_label_propagation.py",),
        # JAX can always call the host.
        ("torch", "tensorflow"),
    ),
    Mutation(
        "objects/matching.py",
        "above = np.flatnonzero(pairs.iou > threshold)",
        "above = np.flatnonzero(pairs.iou >= threshold)",
        "an IoU of the threshold itself is a match",
        ("tests/objects/test_matching.py",),
        HOST,
    ),
    Mutation(
        "objects/components.py",
        "retained = sizes >= max(min_size, 1)",
        "retained = sizes > max(min_size, 1)",
        "objects of the smallest size are dropped",
        ("tests/objects/test_components.py",),
        HOST,
    ),
    Mutation(
        "objects/surface_distances.py",
        "distances <= tolerance * (1 + 1e-6)",
        "distances < tolerance",
        "a surface at the tolerance is outside",
        ("tests/objects/test_surface_distances.py",),
        HOST,
    ),
    # Several processes.
    Mutation(
        "distribution/_cross_replica_sum.py",
        "total = gradient.contiguous().clone()\n            dist.all_reduce(total)",
        "total = gradient.contiguous().clone()",
        "the gradient of one process is missing",
        REPLICAS,
        ("torch",),
    ),
    # Objectives.
    Mutation(
        "objectives/objective.py",
        "weight = weight if factors is None else weight * factors[k]",
        "weight = weight if factors is None else factors[k]",
        "a balancer replaces the weights of terms",
        ("tests/multitask", "tests/objectives"),
    ),
    Mutation(
        "objectives/objective.py",
        "if inputs.training:\n            self.step.assign",
        "if inputs is not None:\n            self.step.assign",
        "evaluation moves scheduled weights on",
        ("tests/objectives/test_learned_and_scheduled_weights.py",),
    ),
    Mutation(
        "objectives/term_columns.py",
        "self.value.update_state(value, sample_weight=samples)",
        "self.value.update_state(value)",
        "a short last batch counts like a full one",
        ("tests/objectives/test_totals_and_gradients.py", "tests/objectives/test_in_fit.py"),
    ),
    Mutation(
        "objectives/deep_supervision.py",
        "return [0.5**level / (2.0 - 0.5 ** (count - 1)) for level in range(count)]",
        "return [0.5**level for level in range(count)]",
        "the weights of the levels do not add up to 1",
        ("tests/objectives/test_deep_supervision.py",),
    ),
    Mutation(
        "objectives/deep_supervision.py",
        "mean = ops.where(label_pyramid.picked(weight, 1, sizes) == 0, ops.zeros_like(mean), mean)",
        "mean = ops.where(label_pyramid.picked(weight, 1, sizes) == 0, mean, mean)",
        "labels without a weight count at coarse levels",
        ("tests/objectives/test_deep_supervision.py",),
    ),
    Mutation(
        "multitask/grad_norm.py",
        "moved = moved * (self.count / ops.sum(moved))",
        "moved = moved / ops.sum(moved)",
        "the weights of tasks add up to 1, not to their number",
        ("tests/multitask/test_grad_norm.py",),
    ),
    # Callbacks and checkpoints.
    Mutation(
        "callbacks/resume.py",
        'random_state.restore(state["random"])',
        "pass",
        "a run that resumes in an epoch draws other random numbers",
        ("tests/callbacks/test_resume.py",),
    ),
    Mutation(
        "keras_internals/random_state.py",
        '_keras_generator(create=True).state.assign(state["keras"])',
        "pass",
        "dropout differs after an interruption",
        ("tests/callbacks/test_resume.py",),
    ),
    Mutation(
        "callbacks/top_k_index.py",
        """            self.read()
            yield""",
        """            yield""",
        "copies overwrite each other's index and lose the best",
        ("tests/callbacks/test_copies.py",),
        HOST,
    ),
    Mutation(
        "callbacks/hard_example_mining.py",
        'self.data.set_weights(self._of_all_copies["base"])',
        "pass",
        "a trial of KerasTuner mines from the weights of the one before",
        ("tests/callbacks/test_copies.py",),
        HOST,
    ),
    Mutation(
        "checkpoints/training_lock.py",
        "if of is not None and of is not callbacks and fit_call.is_running(of):",
        "if False:",
        "two trainings take each other's checkpoints for their own",
        ("tests/callbacks/test_resume_mistakes.py",),
        HOST,
    ),
    Mutation(
        "checkpoints/data_fingerprint.py",
        "np.linspace(0, length - 1, min(length, _SAMPLES))",
        "np.linspace(0, length - 1, 2)",
        "a directory of another fold loads its weights",
        ("tests/callbacks/test_resume_mistakes.py",),
        HOST,
    ),
    Mutation(
        "callbacks/watcher.py",
        "if not (everything or is_outside(problem)):",
        "if not is_outside(problem):",
        "a picture that cannot be drawn ends the training",
        ("tests/callbacks/test_watchers.py",),
        HOST,
    ),
    Mutation(
        "files/history_file.py",
        "if fresh or self._is_behind or not self.path.exists():",
        "if fresh or not self.path.exists():",
        "a row that met a full disk is missing in history.csv",
        ("tests/callbacks/test_watchers.py",),
        HOST,
    ),
    Mutation(
        "callbacks/weight_averaging.py",
        "return 1.0 / (count + 1)",
        "return 1.0 / (count + 2)",
        "stochastic weight averaging is no mean",
        ("tests/callbacks/test_weight_averaging.py",),
    ),
    Mutation(
        "callbacks/reduce_on_plateau.py",
        "if self._wait < self.patience or",
        "if self._wait <= self.patience or",
        "the rate falls an epoch late",
        ("tests/callbacks/test_reduce_on_plateau.py",),
    ),
    Mutation(
        "callbacks/top_k_checkpoints.py",
        """self._remove([entry["file"] for entry in others[self.k :]])""",
        "self._remove([])",
        "the disk fills with old checkpoints",
        ("tests/callbacks/test_top_k_checkpoints.py",),
    ),
    Mutation(
        "checkpoints/state_file.py",
        "if hashlib.sha256(content[start:]).digest() != content[len(_MAGIC) : start]:",
        "if not content[len(_MAGIC) : start]:",
        "a damaged checkpoint is loaded",
        ("tests/checkpoints",),
        HOST,
    ),
    Mutation(
        "checkpoints/variables.py",
        "variable.assign(saved[name])",
        "variable.assign(variable)",
        "a checkpoint restores no weights",
        ("tests/callbacks/test_resume.py",),
    ),
    Mutation(
        "callbacks/hardness_weights.py",
        "(np.cumsum(counts) - counts / 2)",
        "np.cumsum(counts)",
        "equal scores do not have the middle rank",
        ("tests/callbacks/test_hardness_weights.py",),
        HOST,
    ),
    Mutation(
        "schedules/one_cycle.py",
        "top = schedule.rise * steps - 1",
        "top = schedule.rise * steps",
        "the peak comes a step late",
        ("tests/schedules/test_policies.py",),
    ),
    # Data.
    Mutation(
        "data/weighted_batches.py",
        "self._versions.begin(self.epoch + 1)",
        "self._versions.begin(self.epoch)",
        "every epoch draws the same samples in the same order",
        ("tests/data",),
    ),
    Mutation(
        "data/weighted_batches.py",
        "np.random.default_rng((self.seed, epoch, index))",
        "np.random.default_rng((self.seed, index))",
        "every epoch augments in the same way",
        ("tests/data/test_weighted_batches.py",),
    ),
    Mutation(
        "data/systematic_sampling.py",
        "((1 << bits) - 1 - offset)",
        "((1 << bits) - offset)",
        "a sample without a weight can be drawn",
        ("tests/data/test_systematic_sampling.py",),
        HOST,
    ),
    # Backend branches.
    Mutation(
        "keras_internals/device_state.py",
        "values = [v.value.detach().clone() for v in self.variables]",
        "values = [v.value.detach() for v in self.variables]",
        "the guard rolls back to the spoilt weights",
        ("tests/callbacks/test_numerics_rollback.py", "tests/callbacks/test_numerics_guard.py"),
        ("torch",),
    ),
    Mutation(
        "keras_internals/device_state.py",
        'return _jax_copy()(list(values))[0] if keras.backend.backend() == "jax" else values',
        "return values",
        "a second rollback finds its copy eaten by the first step",
        ("tests/callbacks/test_numerics_rollback.py", "tests/callbacks/test_numerics_guard.py"),
        ("jax",),
    ),
    Mutation(
        "callbacks/running_average.py",
        "if share != self._is:",
        "if self._is == 0.0:",
        "the average keeps the share of its first step",
        ("tests/callbacks/test_weight_averaging.py",),
        ("tensorflow",),
    ),
    Mutation(
        "keras_internals/training_state.py",
        "if not state or model._jax_state_synced:",
        "if state is None or isinstance(state, dict):",
        "the average is that of the weights before the epoch",
        ("tests/callbacks/test_weight_averaging.py",),
        ("jax",),
    ),
    # The checker.
    Mutation(
        "checks/engine/comparison.py",
        "SUMMED = Tolerance(1e-4, 1e-10)",
        "SUMMED = Tolerance(1e-1, 1e-10)",
        "differences of a tenth are said to be rounding",
        ("tests/checks/engine/test_comparison.py", "tests/checks/rules"),
        HOST,
    ),
    Mutation(
        "checks/rules/source/versions.py",
        "_ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)",
        "_ORDER = (ast.Lt, ast.LtE, ast.Gt)",
        "`>=` on versions as text is not found",
        ("tests/checks/rules/test_source.py",),
        HOST,
    ),
    Mutation(
        "checks/engine/registry.py",
        "if one.id.startswith(tuple(select)) or one.id == BASE.get(kind)]",
        "if one.id.startswith(tuple(select))]",
        "a selection is asked of parts that do not even run",
        ("tests/checks/engine/test_registry.py",),
        HOST,
    ),
    Mutation(
        "checks/rules/losses/weights.py",
        "if all(differ(actual, value, REARRANGED) for value in right):",
        "if all(differ(actual, value, 1e9) for value in right):",
        "a loss that ignores sample weights passes",
        ("tests/checks", "tests/testing", "tests/zoo"),
        HOST,
    ),
)
