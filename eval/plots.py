"""Plots as inline SVG: metrics of several systems with their intervals, and risk against coverage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

import numpy as np

from eval.bootstrap import Estimate
from eval.metrics_calibration import risk_coverage

# Colours that stay apart for colour-blind readers (Okabe and Ito 2008).
_COLOURS: Final = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#888888", "#B0A000")
_LEFT: Final = 190
_WIDTH: Final = 620
_FEWEST_ANSWERS: Final = 10


def intervals_plot(names: Sequence[str], systems: Sequence[tuple[str, Mapping[str, Estimate]]]) -> str:
    """Dots with whiskers on a scale from 0 to 1: one band per metric, one dot per system that has it."""
    shown = [(system, metrics) for system, metrics in systems if any(name in metrics for name in names)]
    if not names or not shown:
        return ""
    marks: list[str] = []
    y = 14.0
    for name in names:
        top = y
        for number, (system, metrics) in enumerate(shown):
            estimate = metrics.get(name)
            if estimate is None:
                continue
            colour, x = _COLOURS[number % len(_COLOURS)], _x(estimate.value)
            label = f"{system}: {estimate.value:.3f}"
            if estimate.low is not None and estimate.high is not None:
                label += f" [{estimate.low:.3f}, {estimate.high:.3f}]"
                marks.append(
                    f'<line x1="{_x(estimate.low):.1f}" x2="{_x(estimate.high):.1f}" y1="{y:.1f}" y2="{y:.1f}" '
                    f'stroke="{colour}" stroke-opacity=".55" stroke-width="2"/>'
                )
            size = 4.5 if number == 0 else 3
            marks.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size}" fill="{colour}"><title>{escape(label)}</title></circle>'
            )
            y += 9
        marks.append(f'<text x="{_LEFT - 10}" y="{(top + y - 9) / 2 + 4:.1f}" text-anchor="end">{escape(name)}</text>')
        y += 8
    grid = "".join(
        f'<line x1="{_x(tick):.1f}" x2="{_x(tick):.1f}" y1="4" y2="{y:.1f}" stroke="#8884"/>'
        f'<text x="{_x(tick):.1f}" y="{y + 14:.1f}" text-anchor="middle">{tick:g}</text>'
        for tick in (0, 0.25, 0.5, 0.75, 1)
    )
    legend, x = [], float(_LEFT)
    for number, (system, _) in enumerate(shown):
        legend.append(
            f'<circle cx="{x:.0f}" cy="{y + 32:.1f}" r="4" fill="{_COLOURS[number % len(_COLOURS)]}"/>'
            f'<text x="{x + 8:.0f}" y="{y + 36:.1f}">{escape(system)}</text>'
        )
        x += 24 + 7 * len(system)
    width = max(_LEFT + _WIDTH + 20, x)
    return (
        f'<svg role="img" aria-label="metrics with intervals" width="100%" style="max-width:{width:.0f}px" '
        f'viewBox="0 0 {width:.0f} {y + 46:.0f}">{grid}{"".join(marks)}{"".join(legend)}</svg>'
    )


def risk_coverage_plot(system: str, answers: Sequence[Sequence[float]]) -> str:
    """Share of wrong causes against the share of cases answered, the most confident first; empty for few answers."""
    if len(answers) < _FEWEST_ANSWERS:
        return ""
    data = np.asarray(answers, dtype=np.float64)
    risk = risk_coverage(data[:, 0], data[:, 1])
    width, height, left, bottom = 420, 220, 44, 30
    points = " ".join(
        f"{left + (i + 1) / len(risk) * (width - left - 10):.1f},{10 + (1 - value) * (height - bottom - 10):.1f}"
        for i, value in enumerate(risk)
    )
    ticks = "".join(
        f'<text x="{left - 6}" y="{14 + (1 - tick) * (height - bottom - 10):.1f}" text-anchor="end">{tick:g}</text>'
        f'<line x1="{left}" x2="{width - 10}" y1="{10 + (1 - tick) * (height - bottom - 10):.1f}" '
        f'y2="{10 + (1 - tick) * (height - bottom - 10):.1f}" stroke="#8884"/>'
        for tick in (0, 0.5, 1)
    )
    return (
        f"<h3>Risk against coverage of {escape(system)}</h3>"
        f'<svg role="img" aria-label="risk against coverage" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">{ticks}<polyline fill="none" stroke="{_COLOURS[0]}" stroke-width="2" '
        f'points="{points}"/><text x="{(width + left) / 2:.0f}" y="{height - 8}" text-anchor="middle">'
        "share of cases answered, most confident first</text></svg>"
        "<p>Share of those answers whose first suspect is wrong.</p>"
    )


def _x(value: float) -> float:
    return _LEFT + min(1.0, max(0.0, value)) * _WIDTH
