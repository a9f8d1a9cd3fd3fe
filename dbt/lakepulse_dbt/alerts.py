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

    def broken_by(self, figure: Figure) -> str | None:
        """What the figure did, as words; None if it keeps the rule or is unknown."""
        if figure.metric != self.metric or self.project not in {None, figure.project} or figure.value is None:
            return None
        change = figure.change
        if self.above is not None and figure.value > self.above:
            return f"{figure.text} is above {number(self.above)}"
        if self.below is not None and figure.value < self.below:
            return f"{figure.text} is below {number(self.below)}"
        if self.rises_percent is not None and change is not None and change > self.rises_percent:
            return f"changed by {percent(change)} in 28 days, to {figure.text}; the limit is {percent(self.rises_percent)}"
        if self.falls_percent is not None and change is not None and -change > self.falls_percent:
            return f"changed by {percent(change)} in 28 days, to {figure.text}; the limit is {percent(-self.falls_percent)}"
        return None


class Alert(BaseModel):
    """A rule that a project's figure broke; `message` is a sentence."""

    model_config = ConfigDict(frozen=True)
    project: str
    metric: str
    value: float
    change_percent: float | None
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


def check(rules: list[Rule], found: list[Figure]) -> list[Alert]:
    """The alerts, in the order of the figures."""
    return [
        Alert(
            project=figure.project,
            metric=figure.metric,
            value=figure.value,
            change_percent=figure.change,
            message=f"{figure.project}, {METRICS[figure.metric].title}: {words}.",
        )
        for figure in found
        for rule in rules
        if figure.value is not None and (words := rule.broken_by(figure))
    ]
