"""Check the rules file against what was published."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

from lakepulse.outcome import PermanentError, one_line
from lakepulse_dbt.figures import METRICS, Figure, number, percent


class Rule(BaseModel):
    """One limit of one figure. Percentages are against the figure of 28 days before, and positive."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    metric: str
    project: str | None = None
    above: float | None = None
    below: float | None = None
    rises_percent: float | None = None
    falls_percent: float | None = None

    @field_validator("metric")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in METRICS:
            raise ValueError(f"unknown metric {value!r}; known: {', '.join(METRICS)}")
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
        return figure.metric == self.metric and self.project in {None, figure.project} and figure.applies

    def lacks(self, figure: Figure) -> str | None:
        """What is missing to check the rule, as words; None if nothing is."""
        if figure.value is None:
            return "there is no figure"
        if self.limit[0].endswith("_percent") and figure.change is None:
            return f"{figure.text} has no figure of 28 days before beside it"
        return None

    def broken_by(self, figure: Figure) -> str | None:
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
        return f"changed by {words} in 28 days, to {figure.text}; the limit is {allowed}{_breaks(figure)}"


def _breaks(figure: Figure) -> str:
    """What else than the project may have made the change, as sentences to go on with."""
    return "".join(
        f". Its source has a known break on {known.day}: {known.what_changed.rstrip('.')}" for known in figure.breaks
    )


class Alert(BaseModel):
    """A rule that a project's figure broke; `message` is a sentence or more."""

    model_config = ConfigDict(frozen=True)
    project: str
    metric: str
    value: float
    change_percent: float | None
    message: str


class Unchecked(BaseModel):
    """A rule that no figure of a project could be held against; `message` is a sentence."""

    model_config = ConfigDict(frozen=True)
    project: str
    metric: str
    message: str


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    rules: list[Rule]


def load_rules(path: Path) -> list[Rule]:
    """Read the rules file; one that is not there has no rules.

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


def check(rules: list[Rule], found: list[Figure]) -> tuple[list[Alert], list[Unchecked]]:
    """The alerts, and what could not be checked; both in the order of the figures."""
    alerts: list[Alert] = []
    unchecked: list[Unchecked] = []
    for figure in found:
        about = f"{figure.project}, {METRICS[figure.metric].title}"
        for rule in rules:
            if not rule.concerns(figure):
                continue
            if missing := rule.lacks(figure):
                name, limit = rule.limit
                message = f"{about}: {missing}, so the rule '{name}: {number(limit)}' was not checked."
                unchecked.append(Unchecked(project=figure.project, metric=figure.metric, message=message))
            elif figure.value is not None and (words := rule.broken_by(figure)):
                alerts.append(
                    Alert(
                        project=figure.project,
                        metric=figure.metric,
                        value=figure.value,
                        change_percent=figure.change,
                        message=f"{about}: {words}.",
                    )
                )
    return alerts, unchecked
