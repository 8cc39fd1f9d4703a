"""What a user puts around steps that they did not write: rules, where they come from, and gates.

Match, Rule        which steps a policy is for, and who said so
Config             what a file says
Policies           resolves rules to the terms of a step, once for each kind and name
"""

from __future__ import annotations

from .amounts import amount as amount
from .amounts import budget as budget
from .amounts import duration as duration
from .config import Config as Config
from .config import PriceOf as PriceOf
from .config import config_for as config_for
from .config import read as read
from .decorator import joined as joined
from .decorator import policy as policy
from .decorator import policy_of as policy_of
from .decorator_values import effect_of as effect_of
from .decorator_values import retry_of as retry_of
from .fields import value_of as value_of
from .match import KINDS as KINDS
from .match import Match as Match
from .match import StepKind as StepKind
from .replay_rules import ReplayRules as ReplayRules
from .rules import FIELDS as FIELDS
from .rules import Resolved as Resolved
from .rules import Rule as Rule
from .rules import rules_of as rules_of
from .spend_history import Spent as Spent
from .spend_history import spent_in as spent_in
from .terms import Policies as Policies
