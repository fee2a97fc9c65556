"""A table whose digest is known, which another process can import without the tests."""

import numpy as np
import pandas as pd

TABLE = pd.DataFrame(
    {"age": [40, 50, 60], "level": [0.1, np.nan, -0.0], "sex": ["F", None, "Ünï\u2028code"]}
)
