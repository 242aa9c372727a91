"""The laws of executors, kept by every one that we ship."""

from __future__ import annotations

import pytest

from curifactory.executors.executor import Executor
from curifactory.executors.processes import ProcessExecutor
from curifactory.executors.serial import SerialExecutor
from curifactory.testing import ExecutorLaws


class TestSerialExecutor(ExecutorLaws):
    def make(self, workers: int) -> Executor:
        return SerialExecutor()


class TestProcessExecutor(ExecutorLaws):
    def make(self, workers: int) -> Executor:
        return ProcessExecutor(workers)


# A worker that is killed leaves its parent's ends of pipes to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
class TestDaskExecutor(ExecutorLaws):
    def make(self, workers: int) -> Executor:
        pytest.importorskip(
            "distributed", reason="distributed is not installed: pip install curifactory[dask]"
        )
        from curifactory.executors.cluster import DaskExecutor

        return DaskExecutor(workers=workers)
