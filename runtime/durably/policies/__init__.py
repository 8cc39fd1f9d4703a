"""What a user puts around steps that they did not write: rules, where they come from, and gates.

Match, Rule        which steps a policy is for, and who said so
Config             what a file says
Policies           resolves rules to the terms of a step, once for each kind and name
"""

from __future__ import annotations

from ._amounts import amount as amount
from ._amounts import budget as budget
from ._amounts import duration as duration
from ._config import Config as Config
from ._config import PriceOf as PriceOf
from ._config import config_for as config_for
from ._config import read as read
from ._decorating import policy as policy
from ._decorating import policy_of as policy_of
from ._fields import value_of as value_of
from ._match import KINDS as KINDS
from ._match import Match as Match
from ._match import StepKind as StepKind
from ._rules import FIELDS as FIELDS
from ._rules import Resolved as Resolved
from ._rules import Rule as Rule
from ._rules import rules_of as rules_of
from ._spending import Spent as Spent
from ._spending import spent_in as spent_in
from ._terms import Policies as Policies
