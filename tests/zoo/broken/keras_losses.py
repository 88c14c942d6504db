"""What the losses of Keras 3.15.1 do wrong, and the check that says so."""

from keras import losses

from tests.zoo.entries import Broken

MASKS = {"y_true": "float32[4,8,8,1]{0,1}", "y_pred": "float32[4,8,8,1](0,1)"}
CUBES = {"y_true": "float32[4,4,4,1]{0,1}", "y_pred": "float32[4,4,4,1](0,1)"}
ID_MASKS = {"y_true": "int32[4,8,8,1]{0,2}", "y_pred": "float32[4,8,8,3]simplex"}
LARGE = {"y_true": "float32[2,512,512,1]{0,1}", "y_pred": "float32[2,512,512,1](0,1)"}
REGRESSION = {"y_true": "float32[8,4](-2,2)", "y_pred": "float32[8,4](-2,2)"}
SEQUENCES = {"y_true": "float32[4,6,3](-2,2)", "y_pred": "float32[4,6,3](-2,2)"}
PER_IMAGE = {"axis": (1, 2, 3)}

BROKEN = [
    Broken(losses.Dice, "L104", MASKS, note="one number for the batch: any weights give the same loss"),
    Broken(losses.Tversky, "L104", MASKS, {"alpha": 0.3, "beta": 0.7}, note="one number for the batch"),
    Broken(losses.dice, "L104", MASKS),
    Broken(losses.tversky, "L104", MASKS),
    Broken(losses.Dice, "L105", ID_MASKS, note="class numbers are broadcast over the channels: values below 0"),
    Broken(losses.Dice, "L132", MASKS, PER_IMAGE, note="an empty mask scores 1 whatever is predicted"),
    Broken(losses.Tversky, "L132", MASKS, PER_IMAGE),
    Broken(losses.Dice, "L113", LARGE, PER_IMAGE, note="sums of a 512 x 512 mask do not fit into float16"),
    Broken(losses.MeanSquaredError, "L103", CUBES, note="(B,) weights meet the last axis: columns are weighted"),
    Broken(losses.BinaryCrossentropy, "L103", CUBES),
    Broken(losses.Huber, "X104", REGRESSION, {"delta": 0.5}, note="delta is not in the config"),
    Broken(losses.CosineSimilarity, "X104", SEQUENCES, {"axis": -2}, note="axis is not in the config"),
]
