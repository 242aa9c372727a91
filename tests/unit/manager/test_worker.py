"""What a worker forgets of an earlier run, and how it tells what is printed."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
from pathlib import Path
from curifactory.identity.fingerprint import Scope
from curifactory.manager.worker import forget_modules

sys.path.insert(0, sys.argv[1])
sys.modules["blocked"] = None
sys.modules["made_up"] = object()
import folder.below.features
forget_modules(Scope(Path(sys.argv[1]), ()))
print([name for name in sys.modules if name.startswith("folder")], {"blocked", "made_up", "json"} <= set(sys.modules))
"""


def test_modules_of_a_project_are_forgotten_whatever_else_is_loaded(tmp_path):
    # Folders without an `__init__.py`, as in most projects.
    (tmp_path / "folder" / "below").mkdir(parents=True)
    (tmp_path / "folder" / "below" / "features.py").write_text("VALUE = 1\n", encoding="utf-8")
    words = [sys.executable, "-c", CODE, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[] True\n", "")


PRINTING = """
import os, signal, sys, threading
from curifactory.manager.worker import _Teller

# As if other threads had their turn between any two pieces of a line.
sys.setswitchinterval(1e-6)
told = []

class Teller(_Teller):
    def say(self, stream, text):
        told.append(text)

def speak(who):
    for line in range(1000):
        print(who, "says", line)

threads = [threading.Thread(target=speak, args=(who,)) for who in ("one", "two", "three")]
with Teller().telling(lambda message: None):
    for each in threads:
        each.start()
    ends = []
    for _ in range(30):
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            print("a child says something")
            os._exit(0)
        ends.append(os.waitpid(child, 0)[1])
    print("unfinished", end="")
    for each in threads:
        each.join()
lines = "".join(told).splitlines()
expected = [f"{who} says {line}" for who in ("one", "two", "three") for line in range(1000)]
print(set(ends), sorted(lines) == sorted([*expected, "unfinished"]))
"""


def test_lines_of_threads_stay_whole_and_who_is_forked_meanwhile_can_print():
    words = [sys.executable, "-W", "ignore", "-c", PRINTING]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("{0} True\n", "")


LOGGING = """
import logging, pickle, sys
from curifactory.manager.worker import _Teller

teller, told = _Teller(), []
for number in (1, 2, 3, 4):
    with teller.telling(lambda message, number=number: told.append((number, *pickle.loads(message)))):
        if number == 1:
            logging.basicConfig(format="%(message)s")
        if number == 2:
            print("half a line", end="")
        if number < 4:
            logging.warning("call %s", number)
        if number == 3:
            sys.stdout.close()
            sys.stderr.detach()
        if number == 4:
            print("still heard")
print(told)
"""


def test_what_an_earlier_call_has_set_up_to_print_is_heard_in_later_ones():
    done = subprocess.run([sys.executable, "-c", LOGGING], capture_output=True, text=True, check=False)
    expected = [
        (1, "said", "stderr", "call 1\n"),
        (2, "said", "stderr", "call 2\n"),
        (2, "said", "stdout", "half a line"),
        (3, "said", "stderr", "call 3\n"),
        (4, "said", "stdout", "still heard\n"),
    ]
    assert (done.stdout, done.stderr) == (f"{expected}\n", "")


HANDLING = """
import pickle, sys
from curifactory.manager.worker import _Teller

teller, told, kept = _Teller(), [], []

def rewrap():
    sys.stdout.reconfigure(write_through=False)
    print("behind a buffer")

def recode():
    sys.stdout.reconfigure(encoding="utf-16", errors="ignore")

def close_one():
    kept.append(sys.stderr)
    sys.stdout.close()

def say_to_the_other():
    print("no end of line", end="", file=kept[0])

def reopen():
    print("gr\\xf6\\xdfer \\ud800")

for number, stage in enumerate((rewrap, recode, reopen, close_one, say_to_the_other, reopen)):
    with teller.telling(lambda message, number=number: told.append((number, *pickle.loads(message)))):
        stage()
print(ascii(told))
"""


def test_whatever_a_call_does_to_its_streams_its_own_words_and_those_of_the_next_ones_arrive():
    done = subprocess.run([sys.executable, "-c", HANDLING], capture_output=True, text=True, check=False)
    expected = [
        (0, "said", "stdout", "behind a buffer\n"),
        (2, "said", "stdout", "gr\xf6\xdfer \\ud800\n"),
        (4, "said", "stderr", "no end of line"),
        (5, "said", "stdout", "gr\xf6\xdfer \\ud800\n"),
    ]
    assert (done.stdout, done.stderr) == (f"{expected!a}\n", "")
