"""All that a report shows, gathered once from a run's folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from curifactory.reporting.view.calls import Calls, CallView, gather_calls, origins_of_calls
from curifactory.reporting.view.chip import Chips
from curifactory.reporting.view.header import Header, gather_header
from curifactory.reporting.view.origins import Origin, gather_origins
from curifactory.reporting.view.parameters import Parameters, gather_parameters
from curifactory.reporting.view.results import Results, gather_results
from curifactory.reporting.view.surroundings import Environment, Excerpt, cut_text, gather_environment

if TYPE_CHECKING:
    from curifactory.reporting.addresses import Addresses
    from curifactory.reporting.view.curves import Curves
    from curifactory.reporting.view.reportables import Group, ReportableView
    from curifactory.reporting.view.sweep import SweepView
    from curifactory.store.run import Run

MOST_STOPPED = 10
FEW_REPORTABLES = 4


class ReportView(NamedTuple):
    """The sections of a report in their order, the graph apart: that one is drawn from the rows themselves."""

    header: Header
    warnings: tuple[str, ...]
    notes: str
    results: Results | None
    sweeps: tuple[SweepView, ...]
    curves: Curves | None
    groups: tuple[Group, ...]
    calls: Calls
    parameters: Parameters | None
    environment: Environment | None
    patch: Excerpt | None
    log: Excerpt | None
    origins: Mapping[str, Origin]

    def with_warning(self, text: str) -> ReportView:
        """Return the same report with one more warning."""
        return self._replace(warnings=(*self.warnings, text))

    @property
    def stopped(self) -> tuple[CallView, ...]:
        """The first of the calls that failed or were interrupted: where people look first."""
        return tuple(
            [call for call in self.calls.shown if call.style in {"failed", "interrupted"}][:MOST_STOPPED]
        )

    @property
    def has_many_reportables(self) -> bool:
        """Whether there are so many reportables that they are worth being filtered."""
        return sum(len(group.reportables) for group in self.groups) > FEW_REPORTABLES

    @property
    def has_markup(self) -> bool:
        """Whether somebody put raw HTML into the page."""
        return any(each.kind == "html" for each in self._reportables)

    @property
    def has_figures(self) -> bool:
        """Whether the page has figures of plotly, of which some make code of their own to draw very many points."""
        return any(each.kind == "plotly" for each in self._reportables)

    @property
    def has_charts(self) -> bool:
        """Whether anything on the page is drawn by plotly's script."""
        return self.curves is not None or self.has_figures

    @property
    def is_lively(self) -> bool:
        """Whether curves, figures or tables need a script."""
        return self.has_charts or any(each.is_searched for each in self._reportables)

    @property
    def _reportables(self) -> Iterator[ReportableView]:
        return (each for group in self.groups for each in group.reportables)


def gather_report(run: Run, addresses: Addresses) -> ReportView:
    """Read everything that the page of a run shows."""
    chips = Chips(run.records)
    origins = gather_origins(run.facts)
    return ReportView(
        header=gather_header(run, addresses),
        warnings=tuple(warning.text for warning in run.warnings),
        notes=(run.facts.get("notes") or "").strip(),
        results=gather_results(run.metrics, chips, origins_of_calls(run.calls, origins)),
        sweeps=_gather_sweeps(run, chips),
        curves=_gather_curves(run, chips),
        groups=_gather_groups(run, chips, addresses),
        calls=gather_calls(run.calls, chips, addresses),
        parameters=gather_parameters(run.parameters, run.facts.get("unread_parameters") or ()),
        environment=gather_environment(run.environment),
        patch=cut_text(run.patch_text(), "patch.diff", from_end=False),
        log=cut_text(run.log_text(), "log.txt", from_end=True),
        origins=origins,
    )


# What only some runs have is imported for those only: many runs take no longer than the imports for their page.


def _gather_sweeps(run: Run, chips: Chips) -> tuple[SweepView, ...]:
    if not run.sweeps:
        return ()
    from curifactory.reporting.view.sweep import gather_sweep

    views = (gather_sweep(sweep, run.metrics, chips) for sweep in run.sweeps)
    return tuple(view for view in views if view is not None)


def _gather_curves(run: Run, chips: Chips) -> Curves | None:
    if not run.metrics:
        return None
    from curifactory.reporting.view.curves import gather_curves

    return gather_curves(run.metrics, chips, {call.index: call.name for call in run.calls})


def _gather_groups(run: Run, chips: Chips, addresses: Addresses) -> tuple[Group, ...]:
    if not run.reportables:
        return ()
    from curifactory.reporting.view.reportables import gather_reportables, group_reportables

    return group_reportables(gather_reportables(run.reportables, run.calls, chips, addresses))
