"""From when on people are told that something has not happened: the section `alerts`."""

from pydantic import Field

from driftline.declared import Strict


class Alerts(Strict):
    """Days that a champion may serve, and that predictions may wait without any label coming."""

    champion_days: float = Field(default=180, gt=0)
    label_days: float = Field(default=30, gt=0)
