"""The settings of every command, read from the environment and `.env`, checked once.

They describe a deployment completely: on one machine everything is under `DATA_DIR`; on the
cluster `LAKE_URL`, `WAREHOUSE_URL`, `CATALOG_URI` and `ENGINE` point elsewhere.
"""

from __future__ import annotations

import re
import secrets
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from lakepulse.outcome import PERMANENT, one_line

_REPOSITORY = Path(__file__).resolve().parents[3]

_PLACE = (r"(s3://[^\s/@?#]+|file:///)[^\s?#]*", "s3://BUCKET/FOLDER or file:///FOLDER")
_STORAGE = {
    "lake_url": _PLACE,
    "warehouse_url": _PLACE,
    "catalog_uri": (
        r"sqlite:///\S+|postgresql://[^\s/@?#]+/[^\s/@?#]+(\?\S*)?|https?://[^\s/@?#]+[^\s@?#]*",
        "sqlite:///FILE, postgresql://HOST:PORT/DATABASE without a user, or the http address of a REST catalog",
    ),
}
"""Setting -> the pattern of its addresses, and that form in words."""


class Settings(BaseSettings):
    """Every setting, one field each; the variable is the field's name in capitals."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    # --- what is watched, and as of when
    projects: Path = Field(_REPOSITORY / "workflows" / "projects.yaml", description="path of the project list")
    as_of: date = Field(default_factory=lambda: datetime.now(UTC).date(), description="the run's date, UTC")
    run_id: str = Field(
        default_factory=lambda: f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}",
        description="names a run in landings, snapshots and ops.runs",
    )
    pipeline: str = Field("daily", description="the pipeline that a step runs for, as ops.runs records it")
    demo: bool = Field(False, description="the data is simulated, and every page says so")

    # --- upstreams
    github_api_url: str = "https://api.github.com"
    github_token: SecretStr | None = Field(None, description="one token, or several separated by commas")
    pypistats_api_url: str = Field("https://pypistats.org/api", description="base of /packages/...")
    pypi_simple_url: str | None = Field(None, description="simple index; unset: pypi-simple's default endpoint")
    clickhouse_url: str | None = Field(None, description="ClickHouse HTTP endpoint with PyPI downloads by version")
    sweep: bool = Field(False, description="relist everything now, to find what was deleted upstream")
    sweep_days: int = Field(7, ge=1, description="days between sweeps")
    lookback: int | None = Field(None, ge=1, description="days that a first load looks back; unset: all history")
    shard: str = Field("0/1", description="this fetch's share of the scopes, index/count")
    max_wait_seconds: float = Field(3900, ge=0, description="longest wait for a rate limit to reset")
    timeout_seconds: float = Field(60, gt=0, description="per request")

    # --- storage
    data_dir: Path = Field(Path(".data/real"), description="everything that a run on one machine writes")
    lake_url: str | None = Field(None, description="landings, state and reports; unset: DATA_DIR")
    warehouse_url: str | None = Field(None, description="Iceberg tables; unset: DATA_DIR/warehouse")
    s3_endpoint: str | None = Field(None, description="S3 endpoint other than AWS's own")
    aws_access_key_id: str | None = None
    aws_secret_access_key: SecretStr | None = None
    aws_region: str = "us-east-1"
    catalog_type: Literal["jdbc", "rest"] = "jdbc"
    catalog_uri: str | None = Field(None, description="sqlite:///..., postgresql://host:port/db or a REST address")
    catalog_user: str | None = None
    catalog_password: SecretStr | None = None

    allow_shrink: bool = Field(False, description="let a load mark more than half of a scope's rows as deleted")

    # --- engines
    engine: Literal["embedded", "trino"] = Field("embedded", description="what dbt and the dashboard query with")
    trino_host: str = "127.0.0.1"
    trino_port: int = Field(8080, ge=1, le=65535)
    trino_user: str = "lakepulse"
    trino_password: SecretStr | None = None

    # --- answers
    answer_token: SecretStr | None = Field(None, description="what clients of `lakepulse answer --http` send")

    # --- reports
    log_format: Literal["text", "json"] = Field("text", description="of log lines on stderr")
    webhook_url: SecretStr | None = Field(None, description="receives each run's outcome as JSON")
    alerts: Path = Field(_REPOSITORY / "dbt" / "alerts.yaml", description="path of the alert rules")

    @field_validator("projects", "alerts")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("data_dir")
    @classmethod
    def _resolved(cls, value: Path) -> Path:
        # Iceberg keeps absolute paths, and a link to the folder may change or go.
        return value.expanduser().resolve()

    @field_validator("as_of")
    @classmethod
    def _not_after_today(cls, value: date) -> date:
        today = datetime.now(UTC).date()
        if value > today:
            raise ValueError(f"{value} is after today ({today}, UTC)")
        return value

    @field_validator("run_id")
    @classmethod
    def _safe_run_id(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]{0,99}", value):
            raise ValueError("letters, digits, '.' and '-', at most 100")
        return value

    @field_validator("github_api_url", "pypistats_api_url", "pypi_simple_url", "clickhouse_url", "s3_endpoint")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not re.fullmatch(r"https?://[^\s/@?#]+[^\s@?#]*", value):
            raise ValueError("must be an http or https address without user, query or fragment")
        return value.rstrip("/")

    @field_validator("catalog_uri", "lake_url", "warehouse_url")
    @classmethod
    def _storage(cls, value: str | None, info: ValidationInfo) -> str | None:
        pattern, form = _STORAGE[str(info.field_name)]
        if value is not None and not re.fullmatch(pattern, value):
            raise ValueError(f"must be {form}")
        return value

    @field_validator("github_token")
    @classmethod
    def _tokens(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not all(re.fullmatch(r"[!-+\--~]+", t.strip()) for t in value.get_secret_value().split(",")):
            raise ValueError("must be tokens without spaces, separated by commas")
        return value

    @field_validator("answer_token")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"[!-~]{16,}", value.get_secret_value()):
            raise ValueError("must have at least 16 characters, without spaces")
        return value

    @field_validator("shard")
    @classmethod
    def _share(cls, value: str) -> str:
        match = re.fullmatch(r"(\d+)/(\d+)", value)
        if not match or int(match[1]) >= int(match[2]):
            raise ValueError("must be index/count with 0 <= index < count")
        return value

    @model_validator(mode="after")
    def _whole(self) -> Settings:
        if self.catalog_type == "rest" and not self.catalog_uri:
            raise ValueError("CATALOG_URI: a REST catalog needs its address")
        return self

    @property
    def github_tokens(self) -> tuple[str, ...]:
        """The tokens, in the order given; empty without one."""
        if self.github_token is None:
            return ()
        return tuple(t.strip() for t in self.github_token.get_secret_value().split(","))

    @property
    def lake(self) -> str:
        """URL of the folder or bucket that holds landings, state and reports."""
        return self.lake_url or self.data_dir.as_uri()

    @property
    def warehouse(self) -> str:
        """URL under which the Iceberg tables are stored."""
        return self.warehouse_url or (self.data_dir / "warehouse").as_uri()

    @property
    def is_local(self) -> bool:
        """Whether everything is stored under `data_dir`."""
        return self.lake_url is None


def load_settings() -> Settings:
    """The settings, or one line on stderr per bad variable and exit code 1."""
    try:
        return Settings()
    except ValidationError as error:
        for problem in error.errors():
            name = "_".join(str(part) for part in problem["loc"]).upper()
            text = problem["msg"].removeprefix("Value error, ")
            print(f"error: {f'{name}: ' if name else ''}{one_line(text)}", file=sys.stderr)
        raise SystemExit(PERMANENT) from None
