"""``python -m tests.bench``: measures rows of the table of figures and prints them."""

from __future__ import annotations

import argparse
import compileall
import importlib
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

from tests.bench.figures import Figure, format_table, from_json
from tests.bench.timing import Sizes
from tests.bench.workplace import ROOT, Workplace, find_filesystem

GROUPS = ("start_up", "calls", "hashing", "scale", "values", "metrics", "reports", "browser", "parallel")


def main() -> int:
    """Measure what was asked for; 1 if a row is over its target."""
    options = _read_words()
    if options.alone:
        return _measure_here(options.rows, options)
    names = {row: row.partition(".")[0] for row in options.rows or GROUPS}
    unknown = [row for row, group in names.items() if group not in GROUPS]
    if unknown:
        sys.stderr.write(f"No rows {', '.join(unknown)}; there are the groups {', '.join(GROUPS)}.\n")
        return 2
    compileall.compile_dir(str(ROOT / "curifactory"), quiet=2, workers=0)
    figures: list[Figure] = []
    with Workplace(options.folder) as workplace:
        machine = (
            f"{os.cpu_count()} cores, Python {platform.python_version()}, {find_filesystem(workplace.root)}"
        )
        for group in GROUPS:
            wanted = [row for row, of in names.items() if of == group]
            if wanted:
                sys.stderr.write(f"{group} …\n")
                figures += _measure_apart(wanted, options, workplace.root)
        _print(figures, machine, as_json=options.json)
    return 1 if any(figure.verdict == "over" for figure in figures) and not options.tiny else 0


def _read_words() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "rows", nargs="*", metavar="ROW", help="groups or rows, such as calls or calls.hit; all if none"
    )
    parser.add_argument("--quick", action="store_true", help="leave out what takes minutes")
    parser.add_argument(
        "--tiny", action="store_true", help="only show that the benchmarks work; the figures say nothing"
    )
    parser.add_argument("--json", action="store_true", help="write JSON")
    parser.add_argument(
        "--folder", type=Path, help="measure below this folder, which should lie on a real disk"
    )
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _measure_apart(rows: list[str], options: argparse.Namespace, folder: Path) -> list[Figure]:
    """Measure rows of one group in a process of its own, so that no group finds what another one has imported."""
    words = [sys.executable, "-m", "tests.bench", "--alone", *rows, "--folder", str(folder)]
    words += [f"--{name}" for name in ("quick", "tiny") if getattr(options, name)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(words, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"The benchmarks {', '.join(rows)} failed.")
    return [from_json(json.loads(line)) for line in done.stdout.splitlines() if line.startswith("{")]


def _measure_here(rows: list[str], options: argparse.Namespace) -> int:
    group = importlib.import_module(f"tests.bench.{rows[0].partition('.')[0]}")
    sizes = Sizes(quick=options.quick, tiny=options.tiny)
    with Workplace(options.folder, keep=True) as workplace:
        for benchmark in group.BENCHMARKS:
            if any(row in (benchmark.row, benchmark.row.partition(".")[0]) for row in rows):
                for figure in benchmark.measure(workplace, sizes):
                    sys.stdout.write(json.dumps(figure.to_json()) + "\n")
                    sys.stdout.flush()
    return 0


def _print(figures: list[Figure], machine: str, *, as_json: bool) -> None:
    if as_json:
        told = {"machine": machine, "figures": [each.to_json() for each in figures]}
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
        return
    sys.stdout.write(f"{machine}\n\n{format_table(figures)}\n")
    if any(figure.verdict == "pass*" for figure in figures):
        sys.stdout.write(
            "\npass*: within the target once it is scaled by how much slower this machine's floor is.\n"
        )


if __name__ == "__main__":
    sys.exit(main())
