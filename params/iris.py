"""Two models for the iris measurements: a linear one and a forest."""

from dataclasses import dataclass

from sklearn.base import ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

import curifactory as cf


@dataclass
class Params(cf.ExperimentParameters):
    """What one model of the iris experiment is made of."""

    balanced: bool = False
    """Whether each species weighs the same, however many flowers of it there are."""

    n: int = 100
    """How many trees a forest has. A linear model never reads it, so changing it leaves that model alone."""

    seed: int = 42
    """Decides which flowers are kept for testing, and every random step of the training."""

    model_type: type[ClassifierMixin] = LogisticRegression
    """The scikit-learn class of the model."""


def get_params() -> list[Params]:
    """Give the sets that ``experiment iris -p iris`` compares."""
    return [
        Params(name="simple_lr", balanced=True, model_type=LogisticRegression, seed=1),
        Params(name="simple_rf", model_type=RandomForestClassifier, seed=1),
    ]
