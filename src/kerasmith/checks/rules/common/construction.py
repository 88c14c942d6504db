"""The constructor: it works, twice, calls the base, takes what Keras hands it, and refuses what it does not know."""

import inspect
import weakref

from kerasmith.checks.engine.case import Case
from kerasmith.checks.engine.finding import CannotCheck, Failed, Inconclusive, NotApplicable
from kerasmith.checks.engine.lazy_keras import keras
from kerasmith.checks.engine.messages import describe_error, first_line
from kerasmith.checks.engine.registry import KINDS, check
from kerasmith.checks.harness import fresh_process
from kerasmith.checks.rules.common.arguments import BASE_ARGUMENTS, takes

_UNKNOWN = "no_such_argument"
# Cases whose component could be built at least once.
_BUILT = weakref.WeakSet()


@check("X103", ("loss", "metric", "layer"), "error", requires=(), needs_inputs=False, since="0.1.0")
def super_init_is_called(case: Case) -> None:
    """The constructor does not call `super().__init__()`.

    The base class sets up what Keras counts on: the name, the dtype policy, a loss's reduction, the list of variables of a
    metric or layer. Without it some things fail later with an AttributeError, others are silently absent: variables that are
    neither saved nor reset.

    Fix: call `super().__init__(**kwargs)` first, with `**kwargs` as the last argument of your own constructor.
    """
    _require_class(case)
    base = {"loss": keras.losses.Loss, "metric": keras.metrics.Metric, "layer": keras.layers.Layer}[case.kind]
    expression = "layer.weights" if case.kind == "layer" else f"sorted(vars({case.kind}))"
    lines = [f"print({expression})  # what super().__init__() sets is missing"]
    try:
        component = case.make()
    except Exception as error:
        if "super().__init__" not in str(error):
            raise NotApplicable("the constructor raises, which X100 reports") from None
        raise Failed("super().__init__(...) before anything else", describe_error(error)) from None
    _BUILT.add(case)
    missing = sorted(set(vars(type("Plain", (base,), {})())) - set(vars(component)))
    if missing:
        raise Failed(f"the attributes that {base.__name__}.__init__ sets", f"without {', '.join(missing[:6])}", lines)


@check("X100", KINDS, "error", requires=("X103",), needs_inputs=False, since="0.1.0")
def constructs(case: Case) -> None:
    """The constructor raises.

    Nothing else can be asked of a component that cannot be built. It is built twice: a constructor that changes the arguments
    it was given, or that registers something under a fixed name, often fails only the second time, and Keras builds components
    again whenever a model is cloned or loaded.

    Fix: the message says what the constructor did not accept. Give other arguments with `init=`, or repair the constructor so
    that the same arguments work as often as they are given.
    """
    if case.kind != "callback" and (case.subject.cls or case.subject.component).__module__ != "__main__":
        # X108 will need it, and it takes seconds to start: the other checks run meanwhile.
        fresh_process.start_in_background()
    if case.subject.is_function:
        raise NotApplicable("a function has no constructor")
    for _ in range(2):
        try:
            case.make()
        except Exception as error:
            if case.subject.init and case not in _BUILT:
                call = f"{case.subject.name}({_init_text(case)})"
                raise CannotCheck(f"{call} raises {describe_error(error)}. Give other arguments with --init.") from None
            before = ", although it was built before" if case in _BUILT else ""
            raise Failed(
                f"{case.subject.name}({_init_text(case)}) builds a {case.kind}, as often as it is called",
                f"{describe_error(error)}{before}",
                [f"{case.kind} = type({case.kind})({_init_text(case)})  # if it can be made a first time"],
            ) from None
        _BUILT.add(case)


@check("X101", KINDS, "warning", requires=("X100", "X103"), needs_inputs=False, since="0.1.0")
def unknown_arguments_are_refused(case: Case) -> None:
    """The constructor swallows arguments that it does not know.

    `**kwargs` are taken and dropped. A misspelt argument then changes nothing, without a word, and what Keras hands over, such
    as `name` or `dtype`, is lost as well.

    Fix: hand them on, `super().__init__(**kwargs)`: the base class refuses what it does not know.
    """
    _require_class(case)
    cls, given = case.subject.cls, dict(case.subject.init)
    if case.subject.is_instance:
        given = case.make().get_config()
    if not any(p.kind is p.VAR_KEYWORD for p in inspect.signature(cls.__init__).parameters.values()):
        return
    try:
        component = cls(**given, **{_UNKNOWN: 1})
    except Exception:
        return
    retained = repr(vars(component)) + (repr(component.get_config()) if hasattr(component, "get_config") else "")
    if _UNKNOWN in retained:
        return
    raise Failed(
        f"TypeError for {_UNKNOWN}=1",
        "it is taken, and nowhere to be found in the component",
        [f"print(type({case.kind})({_init_text(case, _UNKNOWN + '=1')}))  # no error"],
    )


@check("X102", ("loss", "metric", "layer"), "warning", requires=("X100", "X103", "X101"), needs_inputs=False, since="0.1.0")
def base_arguments_are_taken(case: Case) -> None:
    """The arguments of the base class are not taken, or not handed on.

    Keras gives `name` and `dtype` to each metric and layer, `trainable` to layers, `name` and `reduction` to losses: when it
    loads a model it passes what `get_config` of the base class has written. A constructor without them cannot be loaded
    (`TypeError: unexpected keyword argument`), nor can the user name two of them apart.

    Fix: end the constructor's arguments with `**kwargs` and call `super().__init__(**kwargs)`.
    """
    _require_class(case)
    if case.subject.cls.__module__.partition(".")[0] == "keras":
        raise NotApplicable("Keras' own constructors know what they leave out")
    missing = [name for name in BASE_ARGUMENTS[case.kind] if not takes(case.subject.cls, name)]
    if missing:
        _missing(case, missing)
        return
    for name, value in (("name", "a_name_of_its_own"), ("trainable", False)):
        if name in BASE_ARGUMENTS[case.kind] and name not in case.subject.init and not case.subject.is_instance:
            try:
                got = getattr(case.make(**{name: value}), name)
            except Exception as error:
                raise Inconclusive(f"{name}={value!r} raises {describe_error(error)}") from None
            if got != value:
                raise Failed(
                    f"{name}={value!r} arrives at the base class",
                    f"{name} is {got!r}",
                    [f"print(type({case.kind})({_init_text(case, f'{name}={value!r}')}).{name})"],
                )


def _missing(case, missing):
    component, names = case.make(), " and ".join(missing)
    lines = [f"print(type({case.kind}).from_config({case.kind}.get_config()))"]
    try:
        type(component).from_config(component.get_config())
    except TypeError as error:
        severity = "error" if case.kind == "layer" else "warning"
        raise Failed(
            f"a constructor that takes {names}", f"loading raises {first_line(error)}", lines, severity=severity
        ) from None
    except Exception:
        return
    raise Failed(
        f"a constructor that takes {names}", "it does not", [f"{case.kind}.__init__({missing[0]}=None)"], severity="note"
    )


def _require_class(case):
    if case.subject.is_function:
        raise NotApplicable("a function has no constructor")


def _init_text(case, more=None):
    parts = [f"{name}={value!r}" for name, value in case.subject.init.items()]
    return ", ".join([*parts, *([more] if more else [])])
