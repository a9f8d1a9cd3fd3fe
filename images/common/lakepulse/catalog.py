"""The one Iceberg catalog, in the configuration of each engine.

Type and address are settings, so a REST catalog can replace the JDBC one.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urlsplit

from lakepulse.names import CATALOG
from lakepulse.settings import Settings


def catalog_uri(settings: Settings) -> str:
    """The catalog's address without credentials; on one machine a SQLite file in DATA_DIR."""
    return settings.catalog_uri or f"sqlite:///{settings.data_dir / 'catalog.db'}"


def sqlalchemy_url(settings: Settings) -> str:
    """The JDBC catalog's database as SQLAlchemy takes it, with credentials: never log it."""
    uri = catalog_uri(settings)
    if not uri.startswith("postgresql"):
        return uri
    parts = urlsplit(uri)
    password = settings.catalog_password.get_secret_value() if settings.catalog_password else ""
    user = quote(settings.catalog_user or "", safe="")
    query = f"?{parts.query}" if parts.query else ""
    return f"postgresql+psycopg://{user}:{quote(password, safe='')}@{parts.netloc}{parts.path}{query}"


def pyiceberg_properties(settings: Settings) -> dict[str, str]:
    """Properties for `pyiceberg.catalog.load_catalog(CATALOG, **properties)`."""
    properties = {"warehouse": settings.warehouse}
    if settings.catalog_type == "rest":
        properties |= {"type": "rest", "uri": catalog_uri(settings)}
    else:
        properties |= {"type": "sql", "uri": sqlalchemy_url(settings), "init_catalog_tables": "true"}
    return properties | _pyiceberg_s3(settings)


def read_only_properties(settings: Settings) -> dict[str, str]:
    """The same for a reader that creates nothing, not even an empty SQLite file."""
    properties = pyiceberg_properties(settings)
    if properties["type"] == "sql":
        properties["init_catalog_tables"] = "false"
    if properties["uri"].startswith("sqlite:///"):
        path = Path(properties["uri"].removeprefix("sqlite:///"))
        properties["uri"] = f"sqlite:///{path.as_uri()}?mode=ro&uri=true"
    return properties


def _pyiceberg_s3(settings: Settings) -> dict[str, str]:
    if not settings.warehouse.startswith("s3"):
        return {}
    secret = settings.aws_secret_access_key
    known = {
        "s3.endpoint": settings.s3_endpoint,
        "s3.access-key-id": settings.aws_access_key_id,
        "s3.secret-access-key": secret.get_secret_value() if secret else None,
        "s3.region": settings.aws_region,
    }
    return {key: value for key, value in known.items() if value}


def spark_properties(settings: Settings) -> dict[str, str]:
    """Spark configuration of the catalog, keys `spark.sql.catalog.<name>...`."""
    prefix = f"spark.sql.catalog.{CATALOG}"
    properties = {
        prefix: "org.apache.iceberg.spark.SparkCatalog",
        f"{prefix}.warehouse": settings.warehouse,
    }
    uri = catalog_uri(settings)
    if settings.catalog_type == "rest":
        properties |= {f"{prefix}.type": "rest", f"{prefix}.uri": uri}
    else:
        jdbc = f"jdbc:sqlite:{uri.removeprefix('sqlite:///')}" if uri.startswith("sqlite") else f"jdbc:{uri}"
        properties |= {
            f"{prefix}.type": "jdbc",
            f"{prefix}.uri": jdbc,
            f"{prefix}.jdbc.schema-version": "V1",
        }
        if settings.catalog_user:
            properties[f"{prefix}.jdbc.user"] = settings.catalog_user
        if settings.catalog_password:
            properties[f"{prefix}.jdbc.password"] = settings.catalog_password.get_secret_value()
    if settings.warehouse.startswith("s3"):
        properties[f"{prefix}.io-impl"] = "org.apache.iceberg.aws.s3.S3FileIO"
        properties[f"{prefix}.client.region"] = settings.aws_region
        if settings.s3_endpoint:
            properties[f"{prefix}.s3.endpoint"] = settings.s3_endpoint
            properties[f"{prefix}.s3.path-style-access"] = "true"
        if settings.aws_access_key_id:
            properties[f"{prefix}.s3.access-key-id"] = settings.aws_access_key_id
        if settings.aws_secret_access_key:
            properties[f"{prefix}.s3.secret-access-key"] = settings.aws_secret_access_key.get_secret_value()
    return properties
