"""Two replicas give the step that one device gives."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasmith.distribution import cross_replica_sum, replica_count, share_of_loss
from tests.support import fresh_process

TENSORFLOW = """
import os
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import json, keras, numpy as np, tensorflow as tf
from kerasmith import losses, metrics
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2)
rng = np.random.default_rng(0)
y = (rng.random((6, 4, 4, 1)) > 0.6).astype("float32")
p = rng.random((6, 4, 4, 1)).astype("float32")
w = rng.random(6).astype("float32")
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])

def slope(loss, y, p, w):
    with tf.GradientTape() as tape:
        tape.watch(p)
        value = loss(y, p, w)
    return tape.gradient(value, p), value

ratios = {}
for config in ({}, {"scope": "batch"}, {"reduction": "sum"}, {"reduction": "mean_with_sample_weight"}, {"scope": "batch", "reduction": "sum"}):
    for cls in (losses.Dice, losses.FocalTversky, losses.DiceCE):
        loss = cls(**config)
        whole, value = slope(loss, tf.constant(y), tf.constant(p), tf.constant(w))
        # An uneven split: four images on one replica, two on the other.
        parts = [slice(0, 4), slice(4, 6)]
        pick = lambda a: strategy.experimental_distribute_values_from_function(lambda c: tf.constant(a[parts[c.replica_id_in_sync_group]]))
        out, shares = strategy.run(tf.function(lambda *a: slope(loss, *a)), args=(pick(y), pick(p), pick(w)))
        joined = np.concatenate([g.numpy() for g in strategy.experimental_local_results(out)])
        shares = sum(v.numpy() for v in strategy.experimental_local_results(shares))
        ratios[cls.__name__ + str(config)] = [float(np.linalg.norm(joined) / np.linalg.norm(whole)), float(np.abs(joined - whole).max() / np.abs(whole).max()), float(shares / value)]

with strategy.scope():
    metric = metrics.DiceScore(num_classes=1)
    model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")])
    model.compile(keras.optimizers.SGD(0.1), losses.FocalTversky(), metrics=[metric])
start = model.get_weights()
history = model.fit(p, y, batch_size=6, epochs=3, shuffle=False, verbose=0).history
single = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(1, 3, padding="same", activation="sigmoid")])
single.set_weights(start)
single.compile(keras.optimizers.SGD(0.1), losses.FocalTversky(), metrics=[metrics.DiceScore(num_classes=1)])
expected = single.fit(p, y, batch_size=6, epochs=3, shuffle=False, verbose=0).history
weights = max(float(np.abs(a - b).max()) for a, b in zip(model.get_weights(), single.get_weights()))
print(json.dumps([ratios, weights, history, expected]))
"""

TORCH = """
import json, sys, torch, numpy as np
import torch.distributed as dist, torch.multiprocessing as mp
from kerasmith import losses

def worker(rank, path):
    dist.init_process_group("gloo", init_method="file://" + path + "/store", rank=rank, world_size=2)
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    y = torch.tensor((rng.random((6, 4, 4, 1)) > 0.6).astype("float32"))
    p = torch.tensor(rng.random((6, 4, 4, 1)).astype("float32"))
    part = slice(0, 4) if rank == 0 else slice(4, 6)
    results = {}
    for config in ({}, {"scope": "batch"}, {"reduction": "sum"}):
        q = p[part].clone().requires_grad_(True)
        # What the engine does: the mean over replicas of the gradients.
        (losses.Dice(**config)(y[part], q) / 2).backward()
        results[str(config)] = q.grad.numpy().tolist()
    json.dump(results, open(f"{path}/{rank}.json", "w"))
    dist.barrier()
    if rank == 0:
        torch.save((y, p), path + "/data.pt")
    dist.destroy_process_group()

worker(int(sys.argv[2]), sys.argv[1])
"""


def test_one_replica_is_the_identity():
    x = ops.convert_to_tensor([1.0, 2.0])
    assert replica_count() == 1
    assert cross_replica_sum(x) is x
    assert share_of_loss(x) is x


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="MirroredStrategy is TensorFlow's")
def test_two_mirrored_replicas():
    import json

    ratios, weights, history, expected = json.loads(fresh_process.run(TENSORFLOW).splitlines()[-1])
    assert len(ratios) == 15
    for name, (gradient_ratio, worst, shares) in ratios.items():
        assert gradient_ratio == pytest.approx(1, abs=1e-5), name
        assert worst < 1e-5, name
        assert shares == pytest.approx(1, abs=1e-5), name
    assert weights < 1e-6
    for key in expected:
        np.testing.assert_allclose(history[key], expected[key], rtol=1e-5)


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="torch.distributed is PyTorch's")
def test_two_torch_processes(tmp_path):
    import json
    from concurrent.futures import ThreadPoolExecutor

    import torch

    from kerasmith import losses

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda rank: fresh_process.run(TORCH, tmp_path, rank), range(2)))
    halves = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2)]
    y, p = torch.load(tmp_path / "data.pt")
    for key, config in (("{}", {}), ("{'scope': 'batch'}", {"scope": "batch"}), ("{'reduction': 'sum'}", {"reduction": "sum"})):
        whole = p.clone().requires_grad_(True)
        losses.Dice(**config)(y, whole).backward()
        joined = np.concatenate([np.array(half[key]) for half in halves])
        np.testing.assert_allclose(joined, whole.grad.numpy(), rtol=1e-5, atol=1e-9)
