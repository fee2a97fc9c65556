"""A forest's graph of numbers, written so that a large offset does not round its answers away."""

from typing import Any

import numpy as np

_OPERATOR = "TreeEnsembleRegressor"


def centre_forest(graph: Any, forest: Any) -> None:
    """Sum the trees' departures from their common centre, and add the centre last; in place.

    A graph sums its trees in float32. Where they all answer about 1,000,000, a sum of a hundred
    of them is wrong by as much as a float32 of that size may be, many times over; the sum of what
    they depart from 1,000,000 is not. The answers are the same but for that rounding.
    """
    trees = [tree.tree_ for tree in getattr(forest, "estimators_", [])]
    nodes = [node for node in graph.graph.node if node.op_type == _OPERATOR]
    if not trees or not nodes:
        return
    (node,) = nodes
    from onnx.helper import make_attribute

    values = [tree.value.reshape(tree.node_count) for tree in trees]
    centre = float(np.float32(np.mean([value[0] for value in values])))
    told = {one.name: one for one in node.attribute}
    places = zip(told["target_treeids"].ints, told["target_nodeids"].ints, strict=True)
    weights = [(values[tree][leaf] - centre) / len(trees) for tree, leaf in places]
    for name, written in (("target_weights", weights), ("base_values", [centre])):
        if name in told:
            node.attribute.remove(told[name])
        node.attribute.append(make_attribute(name, np.array(written, dtype=np.float32).tolist()))
