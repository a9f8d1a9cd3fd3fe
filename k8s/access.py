"""A running cluster: its API, and ports on this machine that lead to its services.

That is the kind cluster, or whatever context KUBE_CONTEXT names, and there the namespace of KUBE_NAMESPACE.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import kr8s
import yaml
from kr8s.objects import Service
from kubernetes import client, config

from k8s.cluster import NAMESPACE, Cluster
from lakepulse.outcome import PermanentError, TemporaryError, one_line

SECONDS = 10
"""Time limit of a request to the cluster."""


def chosen_context() -> str:
    """The kubeconfig context to use: KUBE_CONTEXT, or else the kind cluster's."""
    return os.environ.get("KUBE_CONTEXT") or Cluster.from_environment().context


def chosen_namespace() -> str:
    """The namespace to use: KUBE_NAMESPACE, or else the one that the overlays name.

    Raises:
        PermanentError: KUBE_NAMESPACE cannot be a namespace's name.
    """
    name = os.environ.get("KUBE_NAMESPACE") or NAMESPACE
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", name):
        raise PermanentError(f"KUBE_NAMESPACE: {name!r} must be lowercase letters, digits and '-', at most 63")
    return name


@contextmanager
def connection(context: str, kubeconfig: str | None = None) -> Iterator[kr8s.Api]:
    """A client of the cluster, which has answered; default: KUBECONFIG, or kubectl's own default.

    Raises:
        PermanentError: the kubeconfig has no such context, no access, or Argo's objects are not on the cluster.
        TemporaryError: the cluster does not answer.
    """
    namespace = chosen_namespace()
    with _keys():
        # Not `kr8s.api`: it calls the cluster without a time limit, and warns of versions newer than itself.
        api = kr8s.Api(bypass_factory=True, context=context, kubeconfig=kubeconfig, namespace=namespace, serviceaccount="")
        api.timeout = SECONDS
        try:
            api.reauthenticate()  # type: ignore[no-untyped-call]
        except (ValueError, KeyError, RuntimeError, OSError, yaml.YAMLError) as error:
            raise PermanentError(
                f"no cluster: the kubeconfig cannot be used with the context {context} ({one_line(error)[:200]}); "
                "run make cluster, or set KUBE_CONTEXT to another one"
            ) from error
        with _one_line_errors(context):
            api.version()
            yield api


@contextmanager
def _one_line_errors(context: str) -> Iterator[None]:
    try:
        yield
    except kr8s.ServerError as error:
        status = error.response.status_code if error.response is not None else 0
        if status == 404:
            raise PermanentError(f"Argo or its objects are not on the cluster {context}; run make cluster") from error
        refusal = PermanentError if status in {401, 403} else TemporaryError
        raise refusal(f"the cluster {context} refused: {status} {one_line(error)[:200]}") from error
    except (kr8s.APITimeoutError, httpx.HTTPError) as error:
        raise TemporaryError(f"the cluster {context} does not answer ({one_line(error)[:200]}); is it running?") from error


@contextmanager
def _keys() -> Iterator[None]:
    """A folder for the temporary files in which kr8s leaves keys of the kubeconfig; it goes when the context ends."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder
        try:
            yield
        finally:
            tempfile.tempdir = before


@contextmanager
def forwarded(
    api: kr8s.Api, name: str, port: int, local: int | None = None, complain: Callable[[str], None] = lambda _: None
) -> Iterator[int]:
    """A port of 127.0.0.1, `local` or a free one, that leads to a service's port while the context lasts.

    A pod that ends is replaced by the next one that is ready; `complain` gets the reason of each connection that fails.

    Raises:
        PermanentError: there is no such service, or `local` is taken.
        TemporaryError: no pod of the service is ready.
    """
    service = Service({"metadata": {"name": name, "namespace": api.namespace}}, api=api)
    try:
        service.refresh()
    except kr8s.NotFoundError:
        raise PermanentError(f"the cluster has no service {name}; run make cluster") from None
    if not service.ready_pods():
        raise TemporaryError(f"no pod of {name} is ready; see make status")
    forward = service.portforward(port, local or "auto")
    try:
        opened = forward.__enter__()  # type: ignore[no-untyped-call]
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise PermanentError(f"PORT: {local} is in use on this machine; choose another one") from error
    lost = _Lost(complain)
    logging.getLogger("asyncio").addFilter(lost)
    try:
        yield opened
    finally:
        logging.getLogger("asyncio").removeFilter(lost)
        # It closes the port at once, and from Python 3.12 on waits for connections that may never end.
        closing = threading.Thread(target=forward.__exit__, args=(None, None, None), daemon=True)
        closing.start()
        closing.join(1)


class _Lost(logging.Filter):
    """Hands on why a connection failed, where asyncio would log a traceback."""

    def __init__(self, complain: Callable[[str], None]) -> None:
        super().__init__()
        self.complain = complain

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.exc_info or record.exc_info[1] is None:
            return True
        self.complain(one_line(record.exc_info[1])[:200])
        return False


def account_token(context: str, account: str, hours: int) -> str:
    """A new token of a service account in the namespace.

    Raises:
        PermanentError: the cluster refuses it.
    """
    request = client.AuthenticationV1TokenRequest(spec=client.V1TokenRequestSpec(audiences=[], expiration_seconds=hours * 3600))
    configuration = client.Configuration()
    with tempfile.TemporaryDirectory() as folder:  # for keys of the kubeconfig
        config.load_kube_config(context=context, client_configuration=configuration, temp_file_path=folder)  # type: ignore[no-untyped-call]
        core = client.CoreV1Api(client.ApiClient(configuration))
        try:
            made = core.create_namespaced_service_account_token(account, chosen_namespace(), request, _request_timeout=SECONDS)
        except client.ApiException as error:
            raise PermanentError(f"no token for {account}: {error.status} {error.reason}; run make cluster") from error
    if made.status is None or not made.status.token:
        raise PermanentError(f"no token for {account}: the cluster sent none")
    return made.status.token
