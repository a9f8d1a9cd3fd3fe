"""Check the rules file against what was published."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

from lakepulse.figures import Break, Figure, number, percent
from lakepulse.outcome import PermanentError, one_line
from lakepulse_dbt.declared_figures import declared_figures


class Rule(BaseModel):
    """One limit of one figure of `dim_figures`. Percentages are against four weeks before, and positive."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    figure: str
    project: str | None = None
    above: float | None = None
    below: float | None = None
    rises_percent: float | None = None
    falls_percent: float | None = None

    @field_validator("figure")
    @classmethod
    def _known(cls, value: str) -> str:
        known = [name for figures in declared_figures().values() for name in figures]
        if value not in known:
            raise ValueError(f"unknown figure {value!r}; known: {', '.join(known)}")
        return value

    @model_validator(mode="after")
    def _one_limit(self) -> Rule:
        if sum(limit is not None for limit in (self.above, self.below, self.rises_percent, self.falls_percent)) != 1:
            raise ValueError("needs exactly one of above, below, rises_percent, falls_percent")
        return self

    @property
    def limit(self) -> tuple[str, float]:
        """The limit's name and value."""
        return next(
            (name, value)
            for name in ("above", "below", "rises_percent", "falls_percent")
            if (value := getattr(self, name)) is not None
        )

    def concerns(self, figure: Figure) -> bool:
        """Whether the rule is about the figure: a project has none of what it does not have."""
        return figure.meaning.figure == self.figure and self.project in {None, figure.scope} and figure.status != "none"

    def lacks(self, figure: Figure) -> str | None:
        """What is missing to check the rule, as words; None if nothing is."""
        if figure.value is None:
            # A median that nobody has waited for yet is longer than any limit, but not a number.
            return figure.reason or figure.status
        if self.limit[0].endswith("_percent") and figure.change is None:
            return f"{figure.text}, with no value four weeks earlier to compare it with"
        return None

    def broken_by(self, figure: Figure, breaks: tuple[Break, ...]) -> str | None:
        """What the figure did, as words; None if it keeps the rule or is unknown."""
        value, change = figure.value, figure.change
        if value is None:
            return None
        match self.limit:
            case "above", limit if value > limit:
                return f"{figure.text} is above {number(limit)}"
            case "below", limit if value < limit:
                return f"{figure.text} is below {number(limit)}"
            case "rises_percent", limit if change is not None and change > limit:
                words, allowed = percent(change), percent(limit)
            case "falls_percent", limit if change is not None and -change > limit:
                words, allowed = percent(change), percent(-limit)
            case _:
                return None
        across = "".join(f". Its source has a known break on {known.day}: {known.what_changed.rstrip('.')}" for known in breaks)
        return f"changed by {words} in four weeks, to {figure.text}; the limit is {allowed}{across}"


class Alert(BaseModel):
    """A rule that a project's figure broke; `message` is a sentence or more."""

    model_config = ConfigDict(frozen=True)
    project: str
    figure: str
    value: float
    change_percent: float | None
    message: str


class Unchecked(BaseModel):
    """A rule that a project's figure could not be checked against; `message` is a sentence."""

    model_config = ConfigDict(frozen=True)
    project: str
    figure: str
    message: str


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    rules: list[Rule]


def load_rules(path: Path) -> list[Rule]:
    """Read the rules file; a missing one has no rules.

    Raises:
        PermanentError: it cannot be read or says something that cannot be checked.
    """
    try:
        return _File.model_validate(yaml.safe_load(path.read_text(encoding="utf-8"))).rules
    except FileNotFoundError:
        return []
    except ValidationError as error:
        problem = error.errors()[0]
        rules = [part + 1 for part in problem["loc"] if isinstance(part, int)]
        where = f"rule {rules[0]}: " if rules else ""
        key = next((f"{part}: " for part in reversed(problem["loc"]) if isinstance(part, str) and part != "rules"), "")
        raise PermanentError(f"{path}: {where}{key}{problem['msg'].removeprefix('Value error, ')}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PermanentError(f"{path}: cannot be read: {one_line(error)}") from error


def check(
    rules: list[Rule], found: list[Figure], breaks: Mapping[tuple[str, str], tuple[Break, ...]]
) -> tuple[list[Alert], list[Unchecked]]:
    """The alerts, and what could not be checked; both in the order of the figures.

    `breaks` has the known breaks that a figure's change spans, by project and figure.
    """
    alerts: list[Alert] = []
    unchecked: list[Unchecked] = []
    for figure in found:
        name = figure.meaning.figure
        about = f"{figure.scope}, {figure.meaning.title}"
        for rule in rules:
            if not rule.concerns(figure):
                continue
            if missing := rule.lacks(figure):
                limit, value = rule.limit
                message = f"{about}: {missing}; the rule '{limit}: {number(value)}' was not checked."
                unchecked.append(Unchecked(project=figure.scope, figure=name, message=message))
            elif figure.value is not None and (words := rule.broken_by(figure, breaks.get((figure.scope, name), ()))):
                alerts.append(
                    Alert(
                        project=figure.scope,
                        figure=name,
                        value=figure.value,
                        change_percent=figure.change,
                        message=f"{about}: {words}.",
                    )
                )
    return alerts, unchecked
