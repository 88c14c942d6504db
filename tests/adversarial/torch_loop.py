"""The training of `kerasmith.Adversarial` written by hand in plain PyTorch, with its autograd and optimizers."""

import torch

LOSSES = {
    "bce": (
        lambda real, made: torch.nn.functional.softplus(-real).mean() + torch.nn.functional.softplus(made).mean(),
        lambda made: torch.nn.functional.softplus(-made).mean(),
    ),
    "hinge": (
        lambda real, made: torch.relu(1 - real).mean() + torch.relu(1 + made).mean(),
        lambda made: -made.mean(),
    ),
    "least_squares": (
        lambda real, made: ((real - 1) ** 2).mean() + (made**2).mean(),
        lambda made: ((made - 1) ** 2).mean(),
    ),
    "wgan": (lambda real, made: made.mean() - real.mean(), lambda made: -made.mean()),
}


def train(generator, discriminator, x, y, kind, epochs, batch=5, steps=2, l1=0.3, gamma=0.5, rates=(0.01, 0.02)):
    """([weights], {column: mean of the last epoch}) of a conditional pair with two dense layers each.

    Args:
        generator, discriminator: lists of four arrays.
    """
    g, d = ([torch.tensor(array, requires_grad=True) for array in arrays] for arrays in (generator, discriminator))
    made_of = lambda x: torch.tanh(x @ g[0] + g[1]) @ g[2] + g[3]  # noqa: E731
    judge = lambda x, y: torch.tanh(torch.cat([x, y], 1) @ d[0] + d[1]) @ d[2] + d[3]  # noqa: E731
    for_g, for_d = torch.optim.SGD(g, rates[0]), torch.optim.SGD(d, rates[1])
    d_loss, g_loss = LOSSES[kind]
    for _ in range(epochs):
        columns = dict.fromkeys(("generator", "discriminator", "gradient_penalty", "l1"), 0.0)
        for start in range(0, len(x), batch):
            xs, ys = torch.tensor(x[start : start + batch]), torch.tensor(y[start : start + batch])
            share = len(xs) / len(x)
            for _ in range(steps):
                made = made_of(xs).detach()
                point = ys.clone().requires_grad_()
                (slope,) = torch.autograd.grad(judge(xs, point).sum(), point, create_graph=True)
                penalty = gamma / 2 * (slope**2).sum(1).mean()
                loss = d_loss(judge(xs, ys), judge(xs, made))
                for_d.zero_grad()
                (loss + penalty).backward()
                for_d.step()
                columns["discriminator"] += loss.item() * share / steps
                columns["gradient_penalty"] += penalty.item() * share / steps
            made = made_of(xs)
            loss, distance = g_loss(judge(xs, made)), (made - ys).abs().mean()
            for_g.zero_grad()
            (loss + l1 * distance).backward()
            for_g.step()
            columns["generator"] += loss.item() * share
            columns["l1"] += distance.item() * share
    return [tensor.detach().numpy() for tensor in (*g, *d)], columns
