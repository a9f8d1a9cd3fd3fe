"""The object store that holds landings, fetch state and step reports: a folder or S3.

Both put objects atomically: a reader sees a whole object or none.
"""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from obstore.store import LocalStore, S3Store

from lakepulse.settings import Settings

Store = LocalStore | S3Store


def open_store(settings: Settings) -> Store:
    """The store at `settings.lake`; a local folder is created."""
    parts = urlsplit(settings.lake)
    if parts.scheme == "file":
        return LocalStore(unquote(parts.path), mkdir=True, automatic_cleanup=False)
    endpoint = settings.s3_endpoint
    secret = settings.aws_secret_access_key
    return S3Store(
        parts.netloc,
        prefix=parts.path.strip("/") or None,
        endpoint=endpoint,
        access_key_id=settings.aws_access_key_id,
        secret_access_key=secret.get_secret_value() if secret else None,
        region=settings.aws_region,
        virtual_hosted_style_request=endpoint is None,
        client_options={"allow_http": bool(endpoint and endpoint.startswith("http:"))},
    )
