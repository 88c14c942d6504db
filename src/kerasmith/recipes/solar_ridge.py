"""The simple method for solar cells: gradients and brightness of the image, weighed by a ridge regression."""

import numpy as np

PENALTY = 5000.0


def features(images: np.ndarray) -> np.ndarray:
    """Histograms of oriented gradients, quantiles of the brightness and the sorted minima of squares: (N, F).

    Args:
        images: (N, 100, 100, 2), see `Cells`.
    """
    from skimage.feature import hog  # comes with the demo extra

    gradients = [hog(image[..., 0], orientations=8, pixels_per_cell=(10, 10), cells_per_block=(1, 1)) for image in images]
    brightness = np.quantile(images[..., 0].reshape(len(images), -1), np.linspace(0, 1, 21), axis=1).T
    minima = np.sort(images[..., 1].reshape(len(images), 10, 10, 10, 10).min((2, 4)).reshape(len(images), -1), axis=1)
    return np.concatenate([np.stack(gradients), brightness, minima], axis=1)


def ridge(train: np.ndarray, targets: np.ndarray, asked: np.ndarray, penalty: float = PENALTY) -> np.ndarray:
    """Predictions of argmin_w |A w + b - y|^2 + penalty |w|^2 on standardised features.

    Args:
        train, asked: (N, F) and (M, F) features.
        targets: (N,).
        penalty: > 0.

    Returns:
        (M,).

    Example:

    >>> ridge(np.array([[0.0], [2.0]]), np.array([1.0, 5.0]), np.array([[1.0]]), penalty=1e-9).round(6).tolist()
    [3.0]
    """
    mean, deviation = train.mean(0), train.std(0) + 1e-6
    a = (train - mean) / deviation
    weights = np.linalg.solve(a.T @ a + penalty * np.eye(a.shape[1]), a.T @ (targets - targets.mean()))
    return (asked - mean) / deviation @ weights + targets.mean()
