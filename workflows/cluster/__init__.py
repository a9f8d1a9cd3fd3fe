"""Pipelines on the cluster: `submit` runs one and watches it, `status` shows how all are doing."""

from workflows.cluster.pods import pods_table

__all__ = ["pods_table"]
