"""The state of a running training, as a checkpoint of Resume holds it: taken, and put back."""

import copy
from collections.abc import Sequence
from typing import Any

import keras

import kerasmith
from kerasmith.callbacks.resume_messages import refuse, warn_of_gone
from kerasmith.checkpoints import callback_state, variables
from kerasmith.checkpoints.callback_state import UnsavedStateWatcher
from kerasmith.checkpoints.other_state import OtherState
from kerasmith.checkpoints.state_of_processes import for_another_number
from kerasmith.distribution.exchange import processes
from kerasmith.keras_internals import fit_call, random_state
from kerasmith.keras_internals.data_epoch import epoch_of
from kerasmith.keras_internals.training_state import finish_hooks


class TrainingSnapshot:
    """Takes the state of model, data, other callbacks and random generators, and puts it back.

    Made when all callbacks have begun: of what is not Keras' in the model, that counts which changes from then on.

    Args:
        callback: whose model is in training. It is asked for the model each time, as Keras brings the state of JAX into the
            variables then.
        fit: `fit_call.find()`.
        others: the callbacks whose state counts.
    """

    def __init__(self, callback: keras.callbacks.Callback, fit: Any, others: Sequence[keras.callbacks.Callback]) -> None:
        self._callback, self._fit, self._others = callback, fit, others
        self._other = OtherState(callback.model)
        self._unsaved: UnsavedStateWatcher | None = None

    @property
    def has_begun(self) -> bool:
        """Whether the other callbacks are in the state that training begins, or goes on, with: `watch` was called."""
        return self._unsaved is not None

    def watch(self) -> None:
        """Looks from now on for callbacks that change and whose state is not saved."""
        self._unsaved = UnsavedStateWatcher(self._others)

    def take(self) -> dict[str, Any]:
        """The state now, as data for a state file. Warns of callbacks whose state is not saved."""
        # Keras may still be at work in the `end` hooks of callbacks that allow it.
        finish_hooks(self._fit.callbacks)
        if processes().rank == 0:
            self._unsaved.warn()
        x = self._fit.x
        # Before the variables: a guard looks at these now, and may put them back.
        others = copy.deepcopy(callback_state.states(self._others))
        values, owners = variables.values_and_owners(self._callback.model)
        here = processes()
        return {
            **({"parts": self._parts(), "own": here.own_state()} if here.count > 1 else {}),
            "kerasmith": kerasmith.__version__,
            "keras": keras.__version__,
            "backend": keras.backend.backend(),
            "fit": fit_call.fingerprint(self._fit),
            "variables": values,
            "owners": owners,
            "other": self._other.state(),
            "callbacks": others,
            "data": copy.deepcopy(x.state_dict()) if hasattr(x, "state_dict") and hasattr(x, "load_state_dict") else None,
            "epoch of data": epoch_of(self._fit.epoch_iterator.data_adapter),
            "random": random_state.capture(),
        }

    def accept(self, state: Any, file: Any) -> None:
        """Makes the model's variables, and refuses a state that does not go into them. One of before 0.2 gets today's names.

        Args:
            state: a checkpoint.
            file: where it is from.

        Raises:
            ValueError: if the model is another one than that of the checkpoint.
        """
        model, known = self._callback.model, state.get("owners")
        variables.build(model, self._fit, state["variables"], known)
        others = self._other.differences(state["other"]) if "other" in state else []
        refuse([*variables.differences(model, state["variables"], known), *others], file)
        if known is None:
            state["variables"] = variables.under_new_names(model, state["variables"])
        here = processes()
        if state.get("processes", 1) != here.count:
            state.update(for_another_number(state, here.rank, state.get("parts") or self._parts()), own={})

    def _parts(self):
        """Names of the variables that processes hold in parts, as `exchange.Processes.parts`."""
        model = self._callback.model
        names = {id(variable): name for name, variable in variables.named_variables(model).items()}
        return [[names[id(one)] for one in part if id(one) in names] for part in processes().parts(model)]

    def load_model(self, state: Any) -> None:
        """Puts back the variables, and what is not Keras'."""
        variables.assign(self._callback.model, state["variables"])
        if "other" in state:
            self._other.load(state["other"])

    def load_own(self, state: Any) -> None:
        """Puts back what this process keeps for itself."""
        processes().load_own_state(state.get("own", {}), state["batch"])

    def load_callbacks(self, state: Any) -> None:
        """Puts back the state of the other callbacks, and watches them from there on."""
        gone = callback_state.load(self._others, state["callbacks"])
        # Of several processes the first alone has those that write.
        if processes().rank == 0:
            warn_of_gone(gone)
        self.watch()

    def load_data(self, state: Any) -> None:
        """Puts back the state of data that have one."""
        if state["data"] is not None and hasattr(self._fit.x, "load_state_dict"):
            self._fit.x.load_state_dict(state["data"])
