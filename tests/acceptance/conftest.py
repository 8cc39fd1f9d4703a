"""What the acceptance tests work with."""

from __future__ import annotations

from tests.support.places import place as place
from tests.support.places import tiny as tiny
