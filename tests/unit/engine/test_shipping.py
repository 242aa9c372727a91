"""How a stage is found in the process that it was sent to."""

from __future__ import annotations

import importlib
import sys
import threading
import time

from curifactory.engine.shipping import ShippedStage, receive_stage

MODULE = """
import time
import curifactory as cf

time.sleep(0.5)

@cf.stage(outputs=["x"])
def work(record):
    return 1
"""


def test_a_module_that_another_thread_is_importing_is_waited_for(tmp_path, monkeypatch):
    (tmp_path / "slow_to_import.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    other = threading.Thread(target=importlib.import_module, args=("slow_to_import",))
    other.start()
    while "slow_to_import" not in sys.modules:
        time.sleep(0.001)
    try:
        assert receive_stage(ShippedStage("slow_to_import", "work", None, "work")).name == "work"
    finally:
        other.join()
        del sys.modules["slow_to_import"]
