"""Which model tells the three species of iris apart best?

Two models learn from the same 60 flowers and are judged on 90 others. The stages below are all there is to write: what
is kept, shared, rerun and reported follows from what each of them reads.
"""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.base import ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

import curifactory as cf
from curifactory.caching import JsonCacher, PickleCacher
from curifactory.reporting import DFReporter, FigureReporter
from params.iris import Params


@cf.stage(inputs=None, outputs=["training_data", "testing_data"], cachers=[PickleCacher] * 2)
def load_data(record: cf.Record) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Divide the 150 measured flowers: 20 of each species to learn from, 30 to be judged on."""
    iris = load_iris(as_frame=True)
    flowers = iris.data.assign(species=iris.target_names[iris.target])
    training_data, testing_data = train_test_split(
        flowers, test_size=0.6, stratify=flowers["species"], random_state=record.params.seed
    )
    return training_data, testing_data


@cf.stage(inputs=["training_data"], outputs=["model"], cachers=[PickleCacher])
def train_model(record: cf.Record, training_data: pd.DataFrame) -> Pipeline:
    """Fit the model that the parameter set asks for."""
    model = make_pipeline(StandardScaler(), build_classifier(record.params))
    return model.fit(training_data.drop(columns="species"), training_data["species"])


@cf.stage(inputs=["model", "testing_data"], outputs=["score"], cachers=[JsonCacher])
def judge_model(record: cf.Record, model: Pipeline, testing_data: pd.DataFrame) -> dict[str, float]:
    """Let the model name flowers that it has never seen, and count where it is right."""
    guesses = model.predict(testing_data.drop(columns="species"))
    counts = confusion_matrix(testing_data["species"], guesses, labels=model.classes_)
    score = {
        "accuracy": float(counts.trace() / counts.sum()),
        "worst_species": float((counts.diagonal() / counts.sum(axis=1)).min()),
    }
    record.log(score)
    record.report(
        FigureReporter(
            draw_confusion(counts, model.classes_),
            name="confusion",
            caption="How many flowers of each species (rows) the model took for which (columns).",
        )
    )
    return score


@cf.aggregate(inputs=["score"], outputs=["scores"], cachers=[JsonCacher])
def compare_models(
    record: cf.Record, records: list[cf.Record], score: dict[cf.Record, dict[str, float]]
) -> dict[str, dict[str, float]]:
    """Put the models side by side."""
    scores = {each.params.name: score[each] for each in records}
    table = pd.DataFrame.from_dict(scores, orient="index").rename_axis("model")
    record.report(
        DFReporter(table, name="scores", group="comparison", caption="Share of flowers named rightly.")
    )
    record.report(
        FigureReporter(
            draw_scores(table), name="chart", group="comparison", caption="The same as bars; 1 is perfect."
        )
    )
    return scores


def build_classifier(params: Params) -> ClassifierMixin:
    """Make an untrained model; only a forest reads the number of trees."""
    settings: dict[str, Any] = {
        "class_weight": "balanced" if params.balanced else None,
        "random_state": params.seed,
    }
    if issubclass(params.model_type, RandomForestClassifier):
        settings["n_estimators"] = params.n
    return params.model_type(**settings)


def draw_confusion(counts: np.ndarray, species: list[str]) -> Figure:
    """Draw counts of shape ``(species, species)`` as shaded squares with their numbers."""
    figure = Figure(figsize=(4.2, 3.4), layout="constrained")
    axes = figure.subplots()
    axes.imshow(counts, cmap="Purples")
    for (row, column), count in np.ndenumerate(counts):
        shade = "white" if count > counts.max() / 2 else "black"
        axes.text(column, row, str(count), ha="center", va="center", color=shade)
    axes.set_xticks(range(len(species)), labels=species)
    axes.set_yticks(range(len(species)), labels=species)
    axes.set(xlabel="taken for", ylabel="species")
    return figure


def draw_scores(table: pd.DataFrame) -> Figure:
    """Draw a group of bars for each model, a bar for each score; the figure grows with the number of models."""
    figure = Figure(figsize=(5.6, 0.9 + 0.6 * len(table)), layout="constrained")
    axes = figure.subplots()
    places, width = np.arange(len(table)), 0.8 / len(table.columns)
    axes.set_prop_cycle(color=["#5b3a8c", "#b9a3d9", "#d9a441"])
    for number, column in enumerate(table.columns):
        bars = axes.barh(places + number * width, table[column], width, label=column)
        axes.bar_label(bars, fmt="%.3f", padding=2, fontsize=8)
    axes.set_yticks(places + width * (len(table.columns) - 1) / 2, labels=table.index)
    axes.set(xlim=(0, 1.12), ylim=(len(table) - 0.5 * width, -width), xlabel="flowers named rightly")
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return figure


def run(param_sets: list[Params], manager: cf.ArtifactManager) -> None:
    """Train and judge one model for each parameter set, then compare them all."""
    for params in param_sets:
        record = cf.Record(manager, params)
        judge_model(train_model(load_data(record)))
    compare_models(cf.Record(manager, None))
