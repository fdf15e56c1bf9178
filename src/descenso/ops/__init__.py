"""The closed list of operations a rule may call, one adapter per framework.

``namespace(array)`` opens the adapter of the framework the array comes from.
No framework is imported until one of its arrays arrives.
"""

from descenso.ops._namespace import OPERATIONS, namespace

__all__ = ["OPERATIONS", "namespace"]
