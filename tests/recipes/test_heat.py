import io
import json

import numpy as np
import pytest
from rich.console import Console

from kerasmith.recipes import heat, heat_data, verification


@pytest.mark.heavy("trains the network of the demo", on=("jax", "tensorflow"), seconds=15)
def test_a_short_run_writes_the_whole_run_directory_and_goes_on(tmp_path, monkeypatch):
    for name, value in {"WIDTHS": (4,), "POINTS": 256, "BATCH": 32, "POLISH": 120}.items():
        monkeypatch.setattr(heat, name, value)
    text, out = io.StringIO(), tmp_path / "run"

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(heat, "polish", interrupted)
        with pytest.raises(KeyboardInterrupt):
            heat.run(out=out, epochs=1)
    summary = heat.run(out=out, epochs=1, console=Console(file=text, width=100))
    assert "goes on with the interrupted run" in text.getvalue()
    for name in ("report.html", "history.csv", "model.keras", "summary.json"):
        assert (out / name).stat().st_size > 0, name
    assert not (out / "checkpoints").exists()
    saved = json.loads((out / "summary.json").read_text())
    assert saved["diffusivity_error"] == pytest.approx(abs(summary["diffusivity"] / 0.1 - 1))
    assert saved["verification"]["points"] == 101**2
    # One epoch of Adam, two steps of L-BFGS.
    header, *rows = (out / "history.csv").read_text().splitlines()
    assert "diffusivity" in header
    assert len(rows) == 3
    verdict = io.StringIO()
    assert verification.verify(out, Console(file=verdict)) == 0, verdict.getvalue()
    page = (out / "report.html").read_text()
    for word in ("smoothing spline", "thermometers", "relative L2"):
        assert word in page, word


@pytest.mark.host("computes temperatures with NumPy")
def test_the_exact_solution_obeys_the_equation_and_its_conditions():
    x = np.random.default_rng(0).uniform(0.1, 0.9, (50, 2))
    step = np.array([[1e-4, 0.0], [0.0, 1e-4]])
    u = heat_data.exact
    u_t = (u(x + step[1]) - u(x - step[1])) / 2e-4
    u_xx = (u(x + step[0]) - 2 * u(x) + u(x - step[0])) / 1e-8
    np.testing.assert_allclose(u_t, heat_data.DIFFUSIVITY * u_xx, atol=1e-5)
    np.testing.assert_allclose(u(np.array([[0.0, 0.3], [1.0, 0.7]])), 0, atol=1e-12)


@pytest.mark.host("fits a spline with SciPy")
def test_the_simple_method_finds_the_diffusivity_without_noise(monkeypatch):
    monkeypatch.setattr(heat_data, "THERMOMETERS", 40)
    monkeypatch.setattr(heat_data, "NOISE", 0.0)
    estimate, temperatures = heat_data.spline_estimate(heat_data.measure(0), noise=1e-3)
    assert estimate == pytest.approx(heat_data.DIFFUSIVITY, rel=0.01)
    grid = np.linspace(0, 1, 101)
    points = np.stack(np.meshgrid(grid, grid, indexing="ij"), -1).reshape(-1, 2)
    np.testing.assert_allclose(temperatures.ravel(), heat_data.exact(points), atol=1e-2)


@pytest.mark.host("draws noise with NumPy")
def test_the_measurements_have_the_noise_that_is_stated():
    measured = heat_data.measure(3)
    noise = measured.values.ravel() - heat_data.exact(measured.points)
    assert noise.std() == pytest.approx(heat_data.NOISE, rel=0.1)
    assert not np.array_equal(measured.values, heat_data.measure(4).values)
    assert heat_data.ROD.contains(measured.points).all()
