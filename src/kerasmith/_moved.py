"""Import paths and names of the version before, which still work and say what to write now."""

import importlib
import inspect
import sys
import types
import warnings
from collections.abc import Callable

_LOSSES = (
    *("arc_face", "boundary", "centerline_dice", "charbonnier", "class_balanced_weights", "click_dwell", "component_rule"),
    *("connectivity", "contrastive", "cross_entropy", "dice", "dice_ce", "dice_focal", "dice_iou", "elementwise", "embedding"),
    *("exposure_weighted", "focal", "focal_tversky", "from_function", "gaussian_nll", "generalized_dice", "hausdorff_dt"),
    *("image", "jaccard", "log_cosh_dice", "lovasz", "minimum_area", "ms_ssim", "multi_similarity", "nt_xent"),
    *("penalized_mse", "pinball", "pixelwise", "region", "segmentation", "shape", "soft_constraint", "ssim", "sup_con"),
    *("total_variation", "triplet", "tversky", "unified_focal"),
)

# Where a module was -> where it is; several places where it was split.
_MODULES = {
    **{f"losses.{name}": f"losses._{name}" for name in _LOSSES},
    "base.names": "base.configured",
    "base.registration": "base.configured",
    "base.twin": "base.functional",
    "callbacks.history_csv": "callbacks.run_report.history_csv",
    "callbacks.report_page": "callbacks.run_report.report_page",
    "callbacks.run_directory": "callbacks.run_report.run_directory",
    "callbacks.run_part": "callbacks.run_report.run_output",
    "callbacks.run_record": "callbacks.run_report.run_record",
    "callbacks.summary_file": "callbacks.run_report.summary_file",
    "checks.bench": "checks.engine.checker",
    "checks.contract": "checks.engine.contract",
    "checks.examination": "checks.engine.examination",
    "checks.finding": "checks.engine.finding",
    "checks.record": "checks.engine.finding",
    "checks.registry": "checks.engine.registry",
    "checks.report": "checks.engine.report",
    "checks.spec": "checks.engine.spec",
    "checks.subject": "checks.engine.subject",
    "checks.target": "checks.engine.target",
    "checks.workers": "checks.engine.workers",
    "data.balanced_weights": "data._balanced_weights",
    "data.epoch_caller": "keras_internals.epoch_caller",
    "data.signed_distance_maps": "data._signed_distance_maps",
    "data.stale_batches": "keras_internals.stale_batches",
    "data.wheel_data": "files.wheel_data",
    "metrics.gallery": "metrics.retrieval_metric",
    "numerics.agreement": "labels.confusion_measures",
    "numerics.alignment": "labels.alignment",
    "numerics.binary_images": "objects.binary_images",
    "numerics.class_ids": "labels.class_ids",
    "numerics.classes": "labels.class_reduction",
    "numerics.components": "objects.components",
    "numerics.confidences": "labels.confidences",
    "numerics.decisions": "labels.class_ids",
    "numerics.distance_maps": "objects.distance_maps",
    "numerics.free_response": "objects.free_response",
    "numerics.hardness_weights": "callbacks.hardness_weights",
    "numerics.image_pairs": "labels.image_pairs",
    "numerics.index_permutation": "data.index_permutation",
    "numerics.joint_counts": "labels.joint_counts",
    "numerics.label_propagation": "objects.label_propagation",
    "numerics.label_pyramid": "labels.label_pyramid",
    "numerics.limbs": "numerics.exact_sum",
    "numerics.lovasz_extension": "losses._lovasz",
    "numerics.matching": "objects.matching",
    "numerics.nearest_element": "objects.nearest_element",
    "numerics.overlap": "labels.overlap",
    "numerics.pixel_sums": "labels.overlap",
    "numerics.pixels": "labels.pixels",
    "numerics.sample_weights": "base.weights",
    "numerics.segment_quality": "objects.segment_quality",
    "numerics.small_systems": "numerics.task_conflicts",
    "numerics.surface_distances": "objects.surface_distances",
    "numerics.surface_elements": "objects.surface_elements",
    "numerics.systematic_sampling": "data.systematic_sampling",
    "report.directions": "base.direction",
    "report.environment": "report._environment",
    "report.gradient_chart": "report._gradient_chart",
    "report.files": "files.atomic_write files.history_file files.plain_data",
    "report.gallery": "report._image_grid report",
    "report.markup": "report.templating",
    "report.model_facts": "report.model_description",
    "report.png": "report.pixels",
    "report.writable_directory": "files.writable_directory",
    "testing.part": "testing.component_tests",
    "training.batch_norm_refresh": "callbacks.batch_norm_refresh",
    "training.culprit": "callbacks.numerics_guard.first_nonfinite_step",
    "training.device_state": "keras_internals.device_state",
    "training.epoch_counter": "callbacks.epoch_counter",
    "training.finding": "callbacks.numerics_guard.nonfinite_report",
    "training.first_nonfinite": "callbacks.numerics_guard.first_nonfinite",
    "training.fit_call": "keras_internals.fit_call",
    "training.layer_names": "keras_internals.layer_names",
    "training.layer_trace": "keras_internals.layer_trace",
    "training.learning_rate": "keras_internals.learning_rate",
    "training.log_values": "callbacks.log_values",
    "training.quiet_prediction": "callbacks.quiet_prediction",
    "training.random_state": "keras_internals.random_state",
    "training.replay": "keras_internals.replay",
    "training.retrace": "keras_internals.retrace",
    "training.running_average": "callbacks.running_average",
    "training.sample_scores": "callbacks.sample_scores",
    "training.step_gradients": "keras_internals.step_gradients",
    "training.step_repeater": "callbacks.numerics_guard.step_repeater",
    "training.variables": "checkpoints.variables",
    "training.watched_step": "keras_internals.train_function_hook",
}


class _MovedModule(types.ModuleType):
    """Stands where a module was; what is asked of it is taken from the new place."""

    def __init__(self, old: str, new: list[str]):
        super().__init__(old, f"Moved: {', '.join(new)}.")
        self._new = new

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        for place in self._new:
            module = importlib.import_module(place)
            if hasattr(module, name):
                value, package = getattr(module, name), place.rpartition(".")[0]
                public = getattr(importlib.import_module(package), name, None) is value
                warn(f"{self.__name__}.{name}", f"{package if public else place}.{name}")
                return value
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}; it moved to {', '.join(self._new)}")


def keep_old_modules() -> None:
    """Makes the old import paths work: `from kerasmith.losses.dice import Dice`."""
    for old, new in _MODULES.items():
        old = f"kerasmith.{old}"
        sys.modules.setdefault(old, _MovedModule(old, [f"kerasmith.{place}" for place in new.split()]))


def renamed(package: str, table: dict[str, str]) -> Callable[[str], object]:
    """A package's `__getattr__` that knows old names.

    Args:
        package: the package, such as "kerasmith.distribution".
        table: {old name: new name}, both in this package, or with the module of the new one in front, "package.module.name".
    """

    def __getattr__(name: str) -> object:
        if name not in table:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        place, _, new = f"{'' if '.' in table[name] else package + '.'}{table[name]}".rpartition(".")
        warn(f"{package}.{name}", f"{place}.{new}")
        return getattr(importlib.import_module(place), new)

    return __getattr__


def keep_old_methods(cls: type, table: dict[str, str]) -> None:
    """Makes methods of a subclass that have an old name override the new ones.

    Args:
        cls: the subclass.
        table: {old name: new name}; the old one may take fewer arguments, those in front.
    """
    for old, new in table.items():
        method = vars(cls).get(old)
        if method is None:
            continue
        warnings.warn(
            f"`{cls.__name__}.{old}` is deprecated and goes with version 0.2. Call it `{new}`.",
            DeprecationWarning,
            stacklevel=3,
        )
        parameters = list(inspect.signature(method).parameters.values())[1:]
        count = None if any(p.kind is p.VAR_POSITIONAL for p in parameters) else len(parameters)
        setattr(cls, new, lambda self, *arguments, _method=method, _count=count: _method(self, *arguments[:_count]))


def moved_method(old: str, new: str):
    """A method that is a function now.

    Args:
        old: the class and the method, such as "metrics.IoU.draw".
        new: the function that takes the object as first argument, such as "report.iou.draw".
    """
    place, _, function = f"kerasmith.{new}".rpartition(".")

    def method(self, *args, **keywords):
        warn(f"kerasmith.{old}()", f"{place}.{function}(metric)")
        return getattr(importlib.import_module(place), function)(self, *args, **keywords)

    return method


def warn(old: str, new: str) -> None:
    """Warns the caller of the function that calls this."""
    warnings.warn(f"{old} is deprecated and goes with version 0.2. Write {new}.", DeprecationWarning, stacklevel=3)
