"""The local cluster: what it consists of, and how it is made, reached and deleted.

`lakepulse cluster` (`k8s.commands`) is its command; `workflows` uses `k8s.access` to reach a cluster.
"""
