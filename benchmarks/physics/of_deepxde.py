"""The same problem in DeepXDE: its networks, its derivatives, its conditions."""

import os

import deepxde as dde
import numpy as np

BACKEND = os.environ["DDE_BACKEND"]


class DeepXDE:
    """Trains a problem; arguments and methods as those of `Ours`."""

    def __init__(self, problem, learning_rate=1e-3):
        self.problem = problem
        self.unknowns = {name: dde.Variable(first) for name, (first, _) in problem.unknowns.items()}
        axes = len(problem.names)
        # Says how many axes there are; the points are given.
        low, high = [-1e3] * axes, [1e3] * axes
        shape = dde.geometry.Interval(low[0], high[0]) if axes == 1 else dde.geometry.Hypercube(low, high)
        conditions = [self._condition(given) for given in problem.conditions]
        data = dde.data.PDE(shape, self._pde(), conditions, anchors=problem.points)
        net = dde.nn.FNN([axes, *problem.hidden, len(problem.outputs)], "tanh", "Glorot uniform")
        self.model = dde.Model(data, net)
        self.model.compile(
            "adam", lr=learning_rate, external_trainable_variables=list(self.unknowns.values()) or None, verbose=0
        )
        self._give_weights(net, problem.first_weights())

    def loss(self):
        """At the weights of now."""
        x, y, aux = self.model.data.train_next_batch()
        return float(np.sum(self.model._outputs_losses(True, x, y, aux)[1]))

    def train(self, steps):
        """Makes steps of Adam, each on all points."""
        self.model.train(iterations=steps, display_every=10**9, verbose=0)

    def finish(self, steps):
        """Makes steps of L-BFGS, where there is one: not on JAX."""
        if BACKEND == "jax":
            self.train(steps)
            return
        dde.optimizers.set_LBFGS_options(maxcor=50, ftol=0, gtol=0, maxiter=steps, maxfun=10**6, maxls=50)
        self.model.compile("L-BFGS", external_trainable_variables=list(self.unknowns.values()) or None, verbose=0)
        self.model.train(display_every=10**9, verbose=0)

    def error(self):
        """Relative L2 error, and that of each unknown."""
        found = {"error": self.problem.error(self.model.predict(self.problem.test))}
        for name, (_, true) in self.problem.unknowns.items():
            value = self.unknowns[name]
            value = value.value if BACKEND == "jax" else value.detach() if BACKEND == "pytorch" else value
            found[name] = abs(float(np.asarray(value)) / true - 1)
        return found

    def _condition(self, given):
        problem, component = self.problem, self.problem.outputs.index(given.output)
        values = np.asarray(given.values, "float32")[:, None]
        if given.derivative is None:
            return dde.icbc.PointSetBC(given.points, values, component)
        return dde.icbc.PointSetOperatorBC(
            given.points, values, lambda x, y, _: _Field(x, y, problem).d(given.derivative, given.output)
        )

    def _pde(self):
        problem, unknowns = self.problem, self.unknowns
        if BACKEND == "jax" and unknowns:
            first = [value for value, _ in problem.unknowns.values()]

            def equation(x, y, unknowns=first):
                return problem.pde(_Field(x, y, problem), *unknowns)

            return equation
        return lambda x, y: problem.pde(_Field(x, y, problem), **unknowns)

    def _give_weights(self, net, weights):
        if BACKEND == "jax":
            layers = {f"denses_{i}": {"kernel": k, "bias": b} for i, (k, b) in enumerate(weights)}
            self.model.params = [{"params": layers}, self.model.params[1]]
            net.params = self.model.params[0]
            self.model.opt_state = self.model.opt.init(self.model.params)
            return
        if BACKEND == "tensorflow":
            net(self.problem.points)
            for layer, parts in zip(net.denses, weights, strict=True):
                layer.set_weights(parts)
            return
        import torch

        for layer, (kernel, bias) in zip(net.linears, weights, strict=True):
            with torch.no_grad():
                layer.weight.copy_(torch.tensor(kernel.T))
                layer.bias.copy_(torch.tensor(bias))


class _Field:
    """The derivatives of a problem, by those of DeepXDE."""

    def __init__(self, x, y, problem):
        self._x, self._y, self._problem = x, y, problem
        self._values = y[0] if isinstance(y, (tuple, list)) else y

    def d(self, which, output=None):
        axes = [self._problem.names.index(name) for name in which]
        k = 0 if output is None else self._problem.outputs.index(output)
        if len(axes) == 1:
            found = dde.grad.jacobian(self._y, self._x, i=k, j=axes[0])
        else:
            found = dde.grad.hessian(self._y, self._x, component=k, i=axes[0], j=axes[1])
        return found[0] if isinstance(found, (tuple, list)) else found

    def value(self, output):
        k = self._problem.outputs.index(output)
        return self._values[:, k : k + 1]

    def __getattr__(self, name):
        return self.value(name)

    def __getitem__(self, name):
        k = self._problem.names.index(name)
        return self._x[:, k : k + 1]
